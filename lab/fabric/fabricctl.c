/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fabricctl: sends a command to fabricd, or each line of standard input ("-"), and prints what it answers. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "cleanup.h"

#define SOCKET_DEFAULT "/run/fabricd.sock"

static void usage(FILE *to)
{
	fprintf(to, "usage: fabricctl [--socket PATH] [--json] COMMAND... | -\n"
		    "\"fabricctl help\" lists the commands; - takes one a line from standard input.\n"
		    "The socket is $FABRICD_SOCKET, or " SOCKET_DEFAULT ".\n");
}

static int dial(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return -1;
	return steal_fd(&fd);
}

/* Prints the answer: 0 done, 1 refused, -1 not understood. */
static int print_reply(const char *line, bool json)
{
	struct json_object *reply = json_tokener_parse(line), *ok, *text, *data;
	const char *words = "";
	bool good;

	if (!reply || !json_object_object_get_ex(reply, "ok", &ok)) {
		json_object_put(reply);
		return -1;
	}
	good = json_object_get_boolean(ok);
	if (json_object_object_get_ex(reply, "text", &text))
		words = json_object_get_string(text);
	if (good && json && json_object_object_get_ex(reply, "data", &data))
		printf("%s\n", json_object_to_json_string_ext(data, JSON_C_TO_STRING_PRETTY));
	else if (good)
		fputs(words, stdout);
	else
		fprintf(stderr, "fabricctl: %s\n", words);
	json_object_put(reply);
	return good ? 0 : 1;
}

/* One command of the given length without its newline. */
static int ask(FILE *to, FILE *from, const char *line, bool json)
{
	AUTO_FREE char *answer = NULL;
	size_t room = 0;

	if (fprintf(to, "%s%.*s\n", json ? "--json " : "", (int)strcspn(line, "\n"), line) < 0 || fflush(to))
		return -1;
	if (getline(&answer, &room, from) < 0)
		return -1;
	return print_reply(answer, json);
}

static int ask_all(FILE *to, FILE *from, bool json)
{
	AUTO_FREE char *line = NULL;
	size_t room = 0;
	int r = 0, one;

	while (getline(&line, &room, stdin) >= 0) {
		one = ask(to, from, line, json);
		if (one < 0)
			return one;
		r |= one;
	}
	return r;
}

static char *join(char **words)
{
	char *line = NULL;
	size_t size;
	FILE *m = open_memstream(&line, &size);

	if (!m)
		return NULL;
	for (; *words; words++)
		fprintf(m, strpbrk(*words, " \t#") || !**words ? "\"%s\" " : "%s ", *words);
	fclose(m);
	return line;
}

static int run(const char *path, bool json, char **words)
{
	AUTO_FD int fd = dial(path), again = -1;
	AUTO_FILE FILE *to = NULL, *from = NULL;
	AUTO_FREE char *line = NULL;
	int r;

	if (fd < 0) {
		fprintf(stderr, "fabricctl: %s: %s; is fabricd running?\n", path, strerror(errno));
		return 1;
	}
	again = dup(fd);
	to = fdopen(fd, "w");
	if (to)
		fd = -1;
	from = again < 0 ? NULL : fdopen(again, "r");
	if (from)
		again = -1;
	line = join(words);
	if (!to || !from || !line) {
		fprintf(stderr, "fabricctl: %s\n", strerror(errno));
		return 1;
	}
	r = strcmp(words[0], "-") ? ask(to, from, line, json) : ask_all(to, from, json);
	if (r < 0)
		fprintf(stderr, "fabricctl: fabricd ended the connection\n");
	return r ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *path = getenv("FABRICD_SOCKET");
	bool json = false;
	int k, n = 0;

	while ((k = getopt_long(argc, argv, "+hs:j", longs, NULL)) >= 0) {
		if (k == 's')
			path = optarg;
		else if (k == 'j')
			json = true;
		else
			return usage(k == 'h' ? stdout : stderr), k == 'h' ? 0 : 2;
	}
	for (int i = optind; i < argc; i++) { /* "--json" may stand last, too */
		if (!strcmp(argv[i], "--json"))
			json = true;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	if (!n)
		return usage(stderr), 2;
	return run(path ? path : SOCKET_DEFAULT, json, argv);
}
