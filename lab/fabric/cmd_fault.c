/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands that make faults in the fabric itself: rules on frames, silent servers, lost RSCNs. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "rule.h"

/* One word of a rule, and how many values it has. */
struct rule_word {
	const char *word;
	int values;
	bool (*fn)(struct command *c, struct rule *r, char **value);
};

static bool rule_src(struct command *c, struct rule *r, char **value)
{
	return !rule_parse_end(value[0], &r->src) || fail(c, "src: \"%s\" is too long", value[0]);
}

static bool rule_dst(struct command *c, struct rule *r, char **value)
{
	return !rule_parse_end(value[0], &r->dst) || fail(c, "dst: \"%s\" is too long", value[0]);
}

static bool rule_kind(struct command *c, struct rule *r, char **value)
{
	return !rule_parse_kind(value[0], &r->kind) ||
	       fail(c, "kind: expected els, ct, fcp, bls, fip or any, seen \"%s\"", value[0]);
}

static bool rule_op(struct command *c, struct rule *r, char **value)
{
	if (rule_parse_op(r->kind, value[0], &r->op))
		return fail(c, "op: \"%s\" is no operation of kind %s, nor hexadecimal; kind comes before op",
			    value[0], rule_kind_name(r->kind));
	snprintf(r->op_text, sizeof(r->op_text), "%s", value[0]);
	return true;
}

static bool rule_drop(struct command *c, struct rule *r, char **value)
{
	r->action = RULE_DROP;
	return true;
}

static bool rule_delay(struct command *c, struct rule *r, char **value)
{
	unsigned long n;

	if (!arg_number(c, "delay", value[0], 0, 600000, &n))
		return false;
	r->action = RULE_DELAY;
	r->delay_ms = (uint32_t)n;
	return true;
}

static bool rule_byte(struct command *c, const char *text, uint8_t *byte)
{
	char *end;
	unsigned long n = strtoul(text, &end, 16);

	if (!*text || *end || n > 0xff)
		return fail(c, "reject: expected a hexadecimal byte, seen \"%s\"", text);
	*byte = (uint8_t)n;
	return true;
}

static bool rule_reject(struct command *c, struct rule *r, char **value)
{
	if (r->kind != RULE_ELS && r->kind != RULE_CT && r->kind != RULE_BLS)
		return fail(c, "reject: only kind els, ct or bls has a reject; kind comes before reject");
	r->action = RULE_REJECT;
	return rule_byte(c, value[0], &r->reason) && rule_byte(c, value[1], &r->explanation);
}

static bool rule_count(struct command *c, struct rule *r, char **value)
{
	unsigned long n;

	if (!arg_number(c, "count", value[0], 1, 1000000, &n))
		return false;
	r->counted = true;
	r->left = (unsigned)n;
	return true;
}

static const struct rule_word rule_words[] = {
	{"src", 1, rule_src},	    {"dst", 1, rule_dst},     {"kind", 1, rule_kind},
	{"op", 1, rule_op},	    {"drop", 0, rule_drop},   {"delay", 1, rule_delay},
	{"reject", 2, rule_reject}, {"count", 1, rule_count},
};

static const struct rule_word *rule_word_find(const char *word)
{
	for (size_t i = 0; i < sizeof(rule_words) / sizeof(rule_words[0]); i++)
		if (!strcmp(rule_words[i].word, word))
			return &rule_words[i];
	return NULL;
}

static bool rule_fill(struct command *c, struct rule *r)
{
	int actions = 0;

	for (int i = 2; i < c->argc;) {
		const struct rule_word *w = rule_word_find(c->argv[i]);

		if (!w)
			return fail(c, "rule: unknown word \"%s\"", c->argv[i]);
		if (i + w->values >= c->argc)
			return fail(c, "rule: \"%s\" needs %d value%s", w->word, w->values,
				    w->values > 1 ? "s" : "");
		if (!w->fn(c, r, c->argv + i + 1))
			return false;
		actions += w->fn == rule_drop || w->fn == rule_delay || w->fn == rule_reject;
		i += 1 + w->values;
	}
	return actions == 1 || fail(c, "rule: expected one of drop, delay and reject");
}

static bool rule_add(struct command *c)
{
	struct rule *r = rule_new(c->f);

	if (!r)
		return fail(c, "out of memory");
	if (!rule_fill(c, r)) {
		rule_free(c->f, r);
		c->f->next_rule--;
		return false;
	}
	fprintf(c->text, "%u\n", r->number);
	flog_add(c->f, "rule", NULL, NULL, "rule %u added", r->number);
	return true;
}

static bool rule_del(struct command *c)
{
	struct rule *r;
	unsigned long n;

	if (c->argc != 3)
		return fail(c, "usage: rule del N|all");
	if (!strcmp(c->argv[2], "all")) {
		while ((r = TAILQ_FIRST(&c->f->rules)))
			rule_free(c->f, r);
		flog_add(c->f, "rule", NULL, NULL, "all rules removed");
		return true;
	}
	if (!arg_number(c, "rule", c->argv[2], 1, 1000000000, &n))
		return false;
	r = rule_find(c->f, (unsigned)n);
	if (!r)
		return fail(c, "no rule %lu: see \"rule list\"", n);
	rule_free(c->f, r);
	flog_add(c->f, "rule", NULL, NULL, "rule %lu removed", n);
	return true;
}

static void rule_text(FILE *t, const struct rule *r)
{
	fprintf(t, "%u: src %s dst %s kind %s op %s ", r->number, *r->src.text ? r->src.text : "any",
		*r->dst.text ? r->dst.text : "any", rule_kind_name(r->kind),
		*r->op_text ? r->op_text : "any");
	if (r->action == RULE_DELAY)
		fprintf(t, "delay %u", r->delay_ms);
	else if (r->action == RULE_REJECT)
		fprintf(t, "reject %02x %02x", r->reason, r->explanation);
	else
		fprintf(t, "drop");
	if (r->counted)
		fprintf(t, ", %u left", r->left);
	fprintf(t, ", %lu hits\n", r->hits);
}

static struct json_object *rule_json(const struct rule *r)
{
	static const char *const actions[] = {"drop", "delay", "reject"};
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "rule", json_object_new_int64(r->number));
	json_object_object_add(o, "src", json_object_new_string(r->src.text));
	json_object_object_add(o, "dst", json_object_new_string(r->dst.text));
	json_object_object_add(o, "kind", json_object_new_string(rule_kind_name(r->kind)));
	json_object_object_add(o, "op", json_object_new_string(r->op_text));
	json_object_object_add(o, "action", json_object_new_string(actions[r->action]));
	if (r->counted)
		json_object_object_add(o, "left", json_object_new_int64(r->left));
	json_object_object_add(o, "hits", json_object_new_uint64(r->hits));
	return o;
}

static bool rule_list(struct command *c)
{
	const struct rule *r;

	if (c->argc != 2)
		return fail(c, "usage: rule list");
	if (c->json)
		c->data = json_object_new_array();
	TAILQ_FOREACH (r, &c->f->rules, link) {
		if (c->json)
			json_object_array_add(c->data, rule_json(r));
		else
			rule_text(c->text, r);
	}
	return true;
}

static bool cmd_rule(struct command *c)
{
	static const struct {
		const char *word;
		bool (*fn)(struct command *);
	} verbs[] = {{"add", rule_add}, {"del", rule_del}, {"list", rule_list}};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].word, c->argv[1]))
			return verbs[i].fn(c);
	return fail(c, "rule: expected add, del or list, seen \"%s\"", c->argv[1]);
}

static bool cmd_servers(struct command *c)
{
	bool silent = !strcmp(c->argv[1], "silent");
	struct vsan *v, *only = NULL;

	if ((!silent && strcmp(c->argv[1], "up")) ||
	    (c->argc != 2 && (c->argc != 4 || strcmp(c->argv[2], "vsan"))))
		return fail(c, "usage: servers silent|up [vsan ID]");
	if (c->argc == 4 && !(only = arg_vsan(c, c->argv[3])))
		return false;
	TAILQ_FOREACH (v, &c->f->vsans, link) {
		if (only && v != only)
			continue;
		v->silent = silent;
		flog_add(c->f, "fault", v, NULL, "servers %s", c->argv[1]);
	}
	return true;
}

static bool cmd_rscn(struct command *c)
{
	unsigned long n;

	if (strcmp(c->argv[1], "lose"))
		return fail(c, "usage: rscn lose N");
	if (!arg_number(c, "RSCNs", c->argv[2], 0, 1000000, &n))
		return false;
	c->f->lose_rscns = (unsigned)n;
	flog_add(c->f, "fault", NULL, NULL, "the next %lu RSCNs are to be lost", n);
	return true;
}

const struct command_entry commands_fault[] = {
	{"rule", 1, -1, cmd_rule,
	 "rule add [src END] [dst END] [kind els|ct|fcp|bls|fip] [op NAME|HEX] drop|delay MS|reject REASON "
	 "EXPL "
	 "[count N] | rule del N|all | rule list (END: port, target, WWPN or N_Port_ID)"},
	{"servers", 1, 3, cmd_servers, "servers silent|up [vsan ID]"},
	{"rscn", 2, 2, cmd_rscn, "rscn lose N"},
	{},
};
