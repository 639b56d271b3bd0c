/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "method.h"
#include "reservations.h"
#include "result.h"
#include "ticket.h"

#define ADD(o, key, value) json_object_object_add(o, key, value)

static struct json_object *write_lun(const struct reg_lun *l)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "designator", json_object_new_string(l->designator));
	ADD(o, "lun", json_object_new_uint64(l->lun));
	result_add_wwn(o, "target", l->target);
	ADD(o, "size", json_object_new_uint64(l->size));
	return o;
}

static struct json_object *write_vhba(const struct reg_vhba *v)
{
	struct json_object *o = json_object_new_object(), *zones = json_object_new_array();
	const char *pos = v->zones;
	char zone[REG_NAME_MAX];

	ADD(o, "index", json_object_new_int((int)v->index));
	result_add_wwn(o, "wwpn", v->wwpn);
	result_add_wwn(o, "wwnn", v->wwnn);
	if (v->alternate)
		result_add_wwn(o, "alternate", v->alternate);
	ADD(o, "vsan", json_object_new_int(v->vsan));
	while (registry_next_zone(&pos, zone))
		json_object_array_add(zones, json_object_new_string(zone));
	ADD(o, "zones", zones);
	if (v->known) {
		struct json_object *luns = json_object_new_array();

		for (unsigned i = 0; i < v->luns_n; i++)
			json_object_array_add(luns, write_lun(&v->luns[i]));
		ADD(o, "expected", luns);
	}
	if (v->reservations && v->reservations[0])
		ADD(o, "reservations", json_object_new_string(v->reservations));
	return o;
}

static void add_count(struct json_object *o, const char *key, uint64_t n)
{
	if (n)
		ADD(o, key, json_object_new_uint64(n));
}

static struct json_object *write_io(const struct reg_io *io)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "kind", json_object_new_string(reg_io_name(io->kind)));
	add_count(o, "workers", io->workers);
	add_count(o, "iops", io->iops);
	add_count(o, "mbps", io->mbps);
	if (io->paths_guest)
		ADD(o, "paths", json_object_new_string("guest"));
	return o;
}

static struct json_object *write_guest_lun(const struct reg_guest_lun *l)
{
	struct json_object *o = json_object_new_object();

	ADD(o, "number", json_object_new_int((int)l->number));
	if (!l->file[0]) {
		ADD(o, "designator", json_object_new_string(l->designator));
		if (l->target) {
			ADD(o, "vhba", json_object_new_int((int)l->vhba));
			result_add_wwn(o, "target", l->target);
		}
		return o;
	}
	ADD(o, "file", json_object_new_string(l->file));
	ADD(o, "serial", json_object_new_string(l->serial));
	if (l->read_only)
		ADD(o, "read_only", json_object_new_boolean(true));
	if (l->direct)
		ADD(o, "direct", json_object_new_boolean(true));
	return o;
}

static void add_io(struct json_object *o, const struct reg_vm *vm)
{
	struct json_object *luns = json_object_new_array();

	for (unsigned i = 0; i < vm->guest_luns_n; i++)
		json_object_array_add(luns, write_guest_lun(&vm->guest_luns[i]));
	ADD(o, "io", write_io(&vm->io));
	ADD(o, "luns", luns);
}

static bool has_io(const struct reg_vm *vm)
{
	return vm->io.kind != REG_IO_NONE || vm->guest_luns_n;
}

static int version_of(const struct reg_vm *vm)
{
	if (vm->io.paths_guest)
		return 6;
	if (reg_vm_has_alternates(vm))
		return 5;
	if (has_io(vm))
		return 4;
	if (vm->pool)
		return 3;
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		if (vm->vhbas[i].reservations && vm->vhbas[i].reservations[0])
			return 2;
	return 1;
}

struct json_object *ticket_write(const struct reg_vm *vm, const char *host, uint64_t generation)
{
	struct json_object *o = json_object_new_object(), *vhbas = json_object_new_array();

	ADD(o, "format", json_object_new_string(TICKET_FORMAT));
	ADD(o, "version", json_object_new_int(version_of(vm)));
	ADD(o, "vm", json_object_new_string(vm->name));
	ADD(o, "uuid", json_object_new_string(vm->uuid));
	ADD(o, "generation", json_object_new_uint64(generation));
	ADD(o, "exported_by", json_object_new_string(host));
	for (unsigned i = 0; i < vm->vhbas_n; i++)
		json_object_array_add(vhbas, write_vhba(&vm->vhbas[i]));
	ADD(o, "vhbas", vhbas);
	if (vm->pool)
		ADD(o, "pool", json_object_new_boolean(true));
	if (has_io(vm))
		add_io(o, vm);
	return o;
}

/* Of a ticket that may be anything; NULL: it has no such vhba. */
static struct json_object *vhba_of(struct json_object *ticket, unsigned vhba)
{
	struct json_object *list, *index;

	if (!json_object_object_get_ex(ticket, "vhbas", &list) || !json_object_is_type(list, json_type_array))
		return NULL;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (json_object_object_get_ex(o, "index", &index) &&
		    json_object_get_int64(index) == (int64_t)vhba)
			return o;
	}
	return NULL;
}

void ticket_set_port_id(struct json_object *ticket, unsigned vhba, uint32_t port_id)
{
	struct json_object *o = vhba_of(ticket, vhba);
	char text[8];

	snprintf(text, sizeof(text), "%06" PRIx32, port_id & 0xffffff);
	if (o)
		ADD(o, "port_id", json_object_new_string(text));
}

static bool parse_port_id(const char *text, uint32_t *port_id)
{
	if (strlen(text) != 6 || text[strspn(text, "0123456789abcdefABCDEF")])
		return false;
	*port_id = (uint32_t)strtoul(text, NULL, 16);
	return true;
}

bool ticket_port_id(struct json_object *ticket, unsigned vhba, uint32_t *port_id)
{
	struct json_object *o = vhba_of(ticket, vhba), *v;

	return json_object_object_get_ex(o, "port_id", &v) && json_object_is_type(v, json_type_string) &&
	       parse_port_id(json_object_get_string(v), port_id);
}

/* ---- reading: each getter says what it expected ---- */

static bool refuse(struct verror *e, const char *key, const char *expected)
{
	verror_set(e, VHBA_E_USAGE, "the ticket is malformed at \"%s\"", key);
	verror_expected(e, "%s", expected);
	verror_fix(e, "export it again");
	return false;
}

static bool get_text(struct json_object *o, const char *key, char *buf, size_t size, struct verror *e)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_string) ||
	    (size_t)json_object_get_string_len(v) >= size ||
	    strlen(json_object_get_string(v)) != (size_t)json_object_get_string_len(v))
		return refuse(e, key, "a text of reasonable length");
	snprintf(buf, size, "%s", json_object_get_string(v));
	for (const char *p = buf; *p; p++)
		if (iscntrl((unsigned char)*p))
			return refuse(e, key, "a text without control characters");
	return true;
}

static bool get_number(struct json_object *o, const char *key, uint64_t max, uint64_t *n, struct verror *e)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int) ||
	    json_object_get_int64(v) < 0)
		return refuse(e, key, "a number that is not negative");
	*n = json_object_get_uint64(v);
	return *n <= max || refuse(e, key, "a smaller number");
}

static bool get_wwn(struct json_object *o, const char *key, wwn_t *wwn, struct verror *e)
{
	char text[WWN_TEXT + 8];

	return get_text(o, key, text, sizeof(text), e) &&
	       (!wwn_parse(text, wwn, NULL) || refuse(e, key, "a World Wide Name"));
}

static bool get_array(struct json_object *o, const char *key, size_t max, struct json_object **a,
		      struct verror *e)
{
	return (json_object_object_get_ex(o, key, a) && json_object_is_type(*a, json_type_array) &&
		json_object_array_length(*a) <= max) ||
	       refuse(e, key, "an array of reasonable length");
}

static bool read_zones(struct json_object *o, struct reg_vhba *v, struct verror *e)
{
	struct json_object *zones;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	if (!get_array(o, "zones", 64, &zones, e))
		return false;
	f = open_memstream(&text, &size);
	for (size_t i = 0; f && i < json_object_array_length(zones); i++) {
		const char *zone = json_object_get_string(json_object_array_get_idx(zones, i));

		if (!zone || !*zone || strlen(zone) >= REG_NAME_MAX ||
		    zone[strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")]) {
			fclose(f);
			free(text);
			return refuse(e, "zones", "names of zones");
		}
		fprintf(f, "%s%s", i ? "," : "", zone);
	}
	if (!f || fclose(f))
		return refuse(e, "zones", "memory for it");
	v->zones = text;
	return true;
}

static bool read_lun(struct json_object *o, struct reg_lun *l, struct verror *e)
{
	return (json_object_is_type(o, json_type_object) || refuse(e, "expected", "objects")) &&
	       get_text(o, "designator", l->designator, sizeof(l->designator), e) &&
	       get_number(o, "lun", INT64_MAX, &l->lun, e) && get_wwn(o, "target", &l->target, e) &&
	       get_number(o, "size", INT64_MAX, &l->size, e);
}

static bool read_expected(struct json_object *o, struct reg_vhba *v, struct verror *e)
{
	struct json_object *luns;

	if (!json_object_object_get_ex(o, "expected", &luns))
		return true; /* it was never attached */
	if (!get_array(o, "expected", REG_LUNS_MAX, &luns, e))
		return false;
	v->known = true;
	v->luns = calloc(json_object_array_length(luns) + 1, sizeof(*v->luns));
	for (size_t i = 0; v->luns && i < json_object_array_length(luns); i++) {
		if (!read_lun(json_object_array_get_idx(luns, i), &v->luns[i], e))
			return false;
		v->luns_n++;
	}
	return v->luns || refuse(e, "expected", "memory for it");
}

static bool read_reservations(struct json_object *o, struct reg_vhba *v, struct verror *e)
{
	struct json_object *text;

	if (!json_object_object_get_ex(o, "reservations", &text))
		return true; /* not known */
	if (!json_object_is_type(text, json_type_string) || !reservations_good(json_object_get_string(text)))
		return refuse(e, "reservations", "registrations and reservations as an export writes them");
	v->reservations = strdup(json_object_get_string(text));
	return v->reservations || refuse(e, "reservations", "memory for it");
}

static bool get_port_id(struct json_object *o, struct verror *e)
{
	char text[8];
	uint32_t id;

	return get_text(o, "port_id", text, sizeof(text), e) &&
	       (parse_port_id(text, &id) || refuse(e, "port_id", "six hex digits"));
}

static bool read_vhba(struct json_object *o, struct reg_vm *vm, struct verror *e)
{
	struct reg_vhba *v = &vm->vhbas[vm->vhbas_n];
	uint64_t index, vsan;

	if (!json_object_is_type(o, json_type_object))
		return refuse(e, "vhbas", "objects");
	if (!get_number(o, "index", REG_VHBAS_MAX - 1, &index, e) || !get_number(o, "vsan", 4093, &vsan, e) ||
	    !get_wwn(o, "wwpn", &v->wwpn, e) || !get_wwn(o, "wwnn", &v->wwnn, e))
		return false;
	if (json_object_object_get_ex(o, "port_id", NULL) && !get_port_id(o, e))
		return false;
	if (json_object_object_get_ex(o, "alternate", NULL) && !get_wwn(o, "alternate", &v->alternate, e))
		return false;
	if (!vsan || (vm->vhbas_n && index <= vm->vhbas[vm->vhbas_n - 1].index))
		return refuse(e, "vhbas", "a VSAN each, and indexes that ascend");
	v->index = (unsigned)index;
	v->vsan = (uint16_t)vsan;
	vm->vhbas_n++;
	for (unsigned i = 0; i + 1 < vm->vhbas_n; i++)
		if (vm->vhbas[i].wwpn == v->wwpn)
			return refuse(e, "wwpn", "a name of its own for each vhba");
	return read_zones(o, v, e) && read_expected(o, v, e) && read_reservations(o, v, e);
}

static bool get_count(struct json_object *o, const char *key, uint64_t max, uint64_t *n, struct verror *e)
{
	*n = 0;
	return !json_object_object_get_ex(o, key, NULL) || get_number(o, key, max, n, e);
}

static bool read_io(struct json_object *t, struct reg_io *io, struct verror *e)
{
	struct json_object *o;
	uint64_t workers;
	char kind[8], paths[8] = "merged";

	if (!json_object_object_get_ex(t, "io", &o))
		return true;
	if (!json_object_is_type(o, json_type_object) || !get_text(o, "kind", kind, sizeof(kind), e))
		return refuse(e, "io", "an object with a kind");
	io->kind = reg_io_parse(kind);
	if (io->kind == REG_IO_KINDS_)
		return refuse(e, "kind", "none, scsi or blk");
	if (!get_count(o, "workers", 16, &workers, e) || !get_count(o, "iops", 1000000000, &io->iops, e) ||
	    !get_count(o, "mbps", 1000000, &io->mbps, e))
		return false;
	io->workers = (unsigned)workers;
	if (json_object_object_get_ex(o, "paths", NULL) && !get_text(o, "paths", paths, sizeof(paths), e))
		return false;
	io->paths_guest = !strcmp(paths, "guest");
	return io->paths_guest || !strcmp(paths, "merged") || refuse(e, "paths", "merged or guest");
}

/* Of all of its paths, or of that one. */
static bool read_path(struct json_object *o, struct reg_guest_lun *l, struct verror *e)
{
	uint64_t vhba = 0;

	if (!get_text(o, "designator", l->designator, sizeof(l->designator), e))
		return false;
	if (!l->designator[0])
		return refuse(e, "designator", "a designator");
	if (!json_object_object_get_ex(o, "target", NULL))
		return true;
	if (!get_number(o, "vhba", REG_VHBAS_MAX - 1, &vhba, e) || !get_wwn(o, "target", &l->target, e))
		return false;
	l->vhba = (unsigned)vhba;
	return true;
}

static bool read_guest_lun(struct json_object *o, struct reg_guest_lun *l, struct verror *e)
{
	uint64_t number;

	if (!json_object_is_type(o, json_type_object))
		return refuse(e, "luns", "objects");
	if (!get_number(o, "number", REG_GUEST_LUNS - 1, &number, e))
		return false;
	l->number = (unsigned)number;
	if (!json_object_object_get_ex(o, "file", NULL))
		return read_path(o, l, e);
	l->read_only = proto_get_bool(o, "read_only");
	l->direct = proto_get_bool(o, "direct");
	return get_text(o, "file", l->file, sizeof(l->file), e) &&
	       (reg_file_is_good(l->file) || refuse(e, "file", "an absolute path without commas")) &&
	       get_text(o, "serial", l->serial, sizeof(l->serial), e) &&
	       (reg_serial_is_good(l->serial) || refuse(e, "serial", "a serial number"));
}

static bool read_guest_luns(struct json_object *t, struct reg_vm *vm, struct verror *e)
{
	struct json_object *luns;

	if (!json_object_object_get_ex(t, "luns", NULL))
		return true;
	if (!get_array(t, "luns", REG_GUEST_LUNS, &luns, e))
		return false;
	vm->guest_luns = calloc(json_object_array_length(luns) + 1, sizeof(*vm->guest_luns));
	for (size_t i = 0; vm->guest_luns && i < json_object_array_length(luns); i++) {
		if (!read_guest_lun(json_object_array_get_idx(luns, i), &vm->guest_luns[i], e))
			return false;
		vm->guest_luns_n++;
		if (i && vm->guest_luns[i].number <= vm->guest_luns[i - 1].number)
			return refuse(e, "luns", "numbers that ascend");
	}
	return vm->guest_luns || refuse(e, "luns", "memory for it");
}

bool ticket_stopped(struct json_object *ticket)
{
	struct json_object *o;

	return json_object_object_get_ex(ticket, "stopped", &o) && json_object_is_type(o, json_type_string) &&
	       !strcmp(json_object_get_string(o), "confirmed");
}

static bool read_head(struct json_object *t, struct reg_vm *vm, struct verror *e)
{
	char format[32];
	uint64_t version;

	if (!json_object_is_type(t, json_type_object) || !get_text(t, "format", format, sizeof(format), e) ||
	    strcmp(format, TICKET_FORMAT))
		return refuse(e, "format", TICKET_FORMAT);
	if (!get_number(t, "version", INT64_MAX, &version, e))
		return false;
	if (!version || version > TICKET_VERSION) {
		verror_set(e, VHBA_E_VERSION, "the ticket was written by another version of vhba");
		verror_expected(e, "ticket version 1 to %d", TICKET_VERSION);
		verror_seen(e, "%llu", (unsigned long long)version);
		return false;
	}
	return get_text(t, "vm", vm->name, sizeof(vm->name), e) &&
	       get_text(t, "uuid", vm->uuid, sizeof(vm->uuid), e) &&
	       (proto_is_uuid(vm->uuid) || refuse(e, "uuid", "a UUID")) &&
	       ((vm->name[0] &&
		 !vm->name[strspn(vm->name,
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+@:-")]) ||
		refuse(e, "vm", "a VM's name")) &&
	       get_number(t, "generation", INT64_MAX, &vm->generation, e);
}

struct reg_vm *ticket_read(struct json_object *t, struct verror *e)
{
	struct reg_vm *vm = calloc(1, sizeof(*vm));
	struct json_object *vhbas;
	bool good;

	if (!vm) {
		verror_set(e, VHBA_E_INTERNAL, "out of memory");
		return NULL;
	}
	vm->vhbas = calloc(REG_VHBAS_MAX, sizeof(*vm->vhbas));
	vm->pool = proto_get_bool(t, "pool");
	good = vm->vhbas && read_head(t, vm, e) && read_io(t, &vm->io, e) && read_guest_luns(t, vm, e) &&
	       get_array(t, "vhbas", REG_VHBAS_MAX, &vhbas, e);
	for (size_t i = 0; good && i < json_object_array_length(vhbas); i++)
		good = read_vhba(json_object_array_get_idx(vhbas, i), vm, e);
	if (good)
		return vm;
	reg_vm_free(vm);
	return NULL;
}
