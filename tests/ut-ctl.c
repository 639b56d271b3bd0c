/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands against the table of methods, and what is parsed by it. */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "ctl.h"
#include "method.h"
#include "show.h"
#include "ut.h"

static const struct proto_field *field(const struct proto_method *m, const char *name)
{
	for (const struct proto_field *f = m->parameters; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static bool has_parameter(const struct ctl_command *c, const char *name)
{
	for (const struct ctl_arg *a = c->args; a->name; a++)
		if (a->parameter && !strcmp(a->parameter, name))
			return true;
	for (const struct ctl_arg *o = c->options; o->name; o++)
		if (o->parameter && !strcmp(o->parameter, name))
			return true;
	return !strcmp(name, "ticket"); /* read from import's file */
}

static bool type_fits(const struct ctl_arg *a, const struct proto_field *f)
{
	switch (a->type) {
	case CTL_FLAG:
	case CTL_BOOL:
		return f->type == PROTO_BOOL;
	case CTL_UINT:
		return f->type == PROTO_UINT;
	case CTL_DURATION:
		return f->type == PROTO_UINT && strstr(f->name, "_us");
	case CTL_LIST:
		return f->type == PROTO_NAMES;
	case CTL_TEXT:
		return f->type != PROTO_BOOL && f->type != PROTO_UINT && f->type != PROTO_NAMES;
	}
	return false;
}

static void check_args(const struct ctl_arg *list, const struct proto_method *m)
{
	for (; list->name; list++) {
		const struct proto_field *f;

		CU_ASSERT_TRUE(list->doc && list->doc[0]);
		if (!list->parameter)
			continue;
		f = field(m, list->parameter);
		if (!f || !type_fits(list, f) || (f->required && !list->required)) {
			printf("# %s: %s does not fit\n", m->name, list->name);
			CU_FAIL("parameter");
		}
	}
}

static void test_commands_fit_methods(void)
{
	bool called[PROTO_METHODS] = {false};

	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *c = &ctl_commands[i];
		const struct proto_method *m = c->method ? proto_method_find(c->method) : NULL;

		CU_ASSERT_TRUE(!c->method || m);
		CU_ASSERT_TRUE(c->method || c->run);
		if (!m)
			continue;
		called[proto_method_id(m)] = true;
		check_args(c->args, m);
		check_args(c->options, m);
		CU_ASSERT_TRUE(!c->operation || m->more);
		for (const struct proto_field *f = m->parameters; f->name; f++) {
			if (!has_parameter(c, f->name))
				printf("# %s has no option for %s\n", c->words, f->name);
			CU_ASSERT_TRUE(has_parameter(c, f->name));
		}
	}
	for (size_t i = 0; i < PROTO_METHODS; i++)
		CU_ASSERT_TRUE(called[i] || i == PROTO_POOL_SERVE || i == PROTO_POOL_REPORT ||
			       i == PROTO_DOMAIN_SERVE || i == PROTO_DOMAIN_REPORT); /* vhba-virt's */
}

static int parse(struct ctl *ctl, struct vhba_error *e, int argc, const char *const *argv)
{
	return ctl_parse(ctl, argc, (char **)argv, e);
}

#define PARSE(ctl, e, ...)                                                                                   \
	({                                                                                                   \
		const char *argv_[] = {"vhbactl", __VA_ARGS__, NULL};                                        \
		parse(ctl, e, (int)ARRAY_SIZE(argv_) - 1, argv_);                                            \
	})

static void test_parse(void)
{
	struct vhba_error e = {0};
	struct ctl ctl;

	UT_EQ(PARSE(&ctl, &e, "-s", "/s", "vhba", "remove", "--json", "db1", "3"), 0);
	UT_STREQ(ctl.command->words, "vhba remove");
	UT_STREQ(ctl.socket, "/s");
	CU_ASSERT_TRUE(ctl.json);
	UT_EQ(json_uint(ctl.parameters, "index"), 3);
	ctl_clear(&ctl);
	UT_EQ(PARSE(&ctl, &e, "quiesce", "--deadline=1.5s", "--", "--odd"), 0);
	UT_STREQ(json_text(ctl.parameters, "vm"), "--odd");
	UT_EQ(json_uint(ctl.parameters, "deadline_us"), 1500000);
	ctl_clear(&ctl);
	UT_EQ(PARSE(&ctl, &e, "quiesce", "--help"), 0);
	UT_STREQ(ctl.command->words, "help");
	ctl_clear(&ctl);
	UT_EQ(PARSE(&ctl, &e, "vhba", "remove", "db1", "99999999999999999999"), -22);
	UT_EQ(e.kind, VHBA_E_USAGE);
	ctl_clear(&ctl);
	UT_EQ(PARSE(&ctl, &e, "vm"), -22);
	ctl_clear(&ctl);
	UT_EQ(PARSE(&ctl, &e, "quiesce", "db1", "--deadline"), -22);
	UT_STREQ(e.what, "an option lacks its value");
	ctl_clear(&ctl);
}

static void test_human(void)
{
	static const struct {
		uint64_t us;
		const char *text;
	} times[] = {
		{0, "0 us"},	      {999, "999 us"},
		{1000, "1 ms"},	      {1250, "1.25 ms"},
		{10500, "10.5 ms"},   {100000, "100 ms"},
		{1500000, "1.5 s"},   {60000000, "60 s"},
		{300000000, "5 min"}, {UINT64_C(86400000000) * 3, "3 d"},
	};
	char buf[32];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		UT_STREQ(human_time(times[i].us, buf, sizeof(buf)), times[i].text);
	UT_STREQ(human_size(0, buf, sizeof(buf)), "0 B");
	UT_STREQ(human_size(1536, buf, sizeof(buf)), "1.5 KiB");
	UT_STREQ(human_size(UINT64_C(1) << 40, buf, sizeof(buf)), "1 TiB");
	CU_ASSERT_PTR_NOT_NULL(human_size(UINT64_MAX, buf, sizeof(buf)));
	CU_ASSERT_PTR_NOT_NULL(human_time(UINT64_MAX, buf, sizeof(buf)));
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = {
		{"commands fit methods", test_commands_fit_methods},
		{"parse", test_parse},
		{"human", test_human},
		CU_TEST_INFO_NULL,
	};
	const struct ut_suite suites[] = {{"ctl", tests}, {NULL}};

	return ut_main(argc, argv, suites);
}
