/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table says every pair, and the manual page draws what the table says.
 *   ut-quiesce-table --diagram    prints the drawing, to be put into man/vhba-quiesce.7
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "quiesce-int.h"
#include "ut.h"

static bool request(enum quiesce_ev e)
{
	return e == QE_QUIESCE || e == QE_RESUME || e == QE_RESUME_GONE || e == QE_RELEASE;
}

static void test_no_holes(void)
{
	for (unsigned int s = 0; s < QS_STATES; s++) {
		for (unsigned int e = 0; e < QE_EVENTS; e++) {
			const struct quiesce_entry *t = quiesce_entry(s, e);

			if (t->how == QH_HOLE)
				printf("# hole: %s, %s\n", quiesce_state_name(s), quiesce_ev_name(e));
			CU_ASSERT(t->how != QH_HOLE);
			CU_ASSERT((t->how != QH_REFUSE && t->how != QH_QUEUE) || request(e));
			CU_ASSERT(t->how != QH_GO || (t->next < QS_STATES && t->action < QA_ACTIONS));
			CU_ASSERT(t->how != QH_QUEUE || !q_states[s].stable);
		}
	}
	CU_ASSERT(quiesce_entry(QS_STATES, 0)->how == QH_HOLE);
}

static void test_names(void)
{
	for (unsigned int i = 0; i < QS_STATES; i++)
		CU_ASSERT(q_states[i].name && strcmp(quiesce_state_name(i), "?"));
	for (unsigned int i = 0; i < QE_EVENTS; i++)
		CU_ASSERT(q_evs[i].name && strcmp(quiesce_ev_name(i), "?"));
	for (unsigned int i = 0; i < QA_ACTIONS; i++)
		CU_ASSERT(strcmp(quiesce_action_name(i), "?"));
	for (unsigned int i = 0; i < QP_PHASES; i++)
		CU_ASSERT(strcmp(quiesce_phase_name(i), "?"));
	UT_STREQ(quiesce_state_name(QS_STATES), "?");
	UT_STREQ(quiesce_evidence_name(QV_TARGETS_LOGGED_OUT), "targets logged out");
}

/* Every state is reached, and leaves no vhba without a way on. */
static void test_ways(void)
{
	bool reached[QS_STATES] = {[QS_ATTACHED] = true};

	for (unsigned int s = 0; s < QS_STATES; s++) {
		unsigned int leaves = 0;

		for (unsigned int e = 0; e < QE_EVENTS; e++) {
			const struct quiesce_entry *t = quiesce_entry(s, e);

			if (t->how == QH_GO) {
				reached[t->next] = true;
				leaves += t->next != s;
			}
		}
		CU_ASSERT(leaves > 0 || s == QS_GONE);
	}
	for (unsigned int s = 0; s < QS_STATES; s++)
		CU_ASSERT(reached[s]);
}

/* The drawing: a state, and an arrow for each event that leads on. */
static char *diagram(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	for (unsigned int s = 0; s < QS_STATES; s++) {
		fprintf(f, "[%s]\n", quiesce_state_name(s));
		for (unsigned int e = 0; e < QE_EVENTS; e++) {
			const struct quiesce_entry *t = quiesce_entry(s, e);
			int n;

			if (t->how != QH_GO)
				continue;
			n = fprintf(f, "  |-- %s / %s ", quiesce_ev_name(e), quiesce_action_name(t->action));
			for (; n < 46; n++)
				fputc('-', f);
			fprintf(f, "> %s\n", quiesce_state_name(t->next));
		}
	}
	fclose(f);
	return text;
}

static void test_manual(void)
{
	const char *src = getenv("top_srcdir");
	AUTO_FREE char *want = diagram();
	AUTO_FREE char *have = calloc(1, 1 << 16);
	char path[4096], *begin, *end;
	AUTO_FILE FILE *f = NULL;
	size_t n, out = 0;

	snprintf(path, sizeof(path), "%s/man/vhba-quiesce.7", src ? src : ".");
	f = fopen(path, "r");
	CU_ASSERT_FATAL(f != NULL);
	n = fread(have, 1, (1 << 16) - 1, f);
	/* In the page a minus sign is written \-. */
	for (size_t i = 0; i < n; i++)
		if (have[i] != '\\')
			have[out++] = have[i];
	have[out] = '\0';
	begin = strstr(have, "[attached]\n");
	CU_ASSERT_FATAL(begin != NULL);
	end = strstr(begin, ".fi\n");
	CU_ASSERT_FATAL(end != NULL);
	*end = '\0';
	UT_STREQ(begin, want);
}

int main(int argc, char **argv)
{
	static CU_TestInfo tests[] = {
		{"no holes", test_no_holes},
		{"names", test_names},
		{"every state is reached and left", test_ways},
		{"the manual page draws the table", test_manual},
		CU_TEST_INFO_NULL,
	};
	static const struct ut_suite suites[] = {{"quiesce-table", tests, NULL, NULL}, {NULL}};

	if (argc == 2 && !strcmp(argv[1], "--diagram")) {
		AUTO_FREE char *text = diagram();

		fputs(text, stdout);
		return 0;
	}
	return ut_main(argc, argv, suites);
}
