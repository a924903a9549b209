/* SPDX-License-Identifier: ISC */
/*
 * Words -> command and arguments. Everything that is wrong gives one line
 * that names the wrong word and what is allowed there; nothing is guessed.
 */
#include "mgmt/cli/args.h"
#include "mgmt/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>
#include <unistd.h>

struct words {
	int argc;
	char **argv;
	int at;
	bool only_words; /* behind "--" */
};

/* ---- global options ---- */

enum global {
	G_JSON,
	G_DRY,
	G_QUIET,
	G_HELP,
	G_NOWAIT,
	G_YES,
	G_VERSION,
	G_MESSAGE,
	G_SOCKET,
	G_SERVER,
	G_TOKEN,
	G_PIN,
	G_CONTEXT,
	G_WAIT,
	G_TIMEOUT
};

static const struct global_option {
	const char *name, *letter;
	enum global id;
	const char *value; /* metavariable; NULL: takes none */
	const char *help;
} globals[] = {
	{"--json", NULL, G_JSON, NULL, "the result as JSON"},
	{"--dry-run", "-n", G_DRY, NULL, "check everything, change nothing"},
	{"--message", "-m", G_MESSAGE, "TEXT", "why, for audit and history"},
	{"--wait", NULL, G_WAIT, "SECONDS", "for the nodes' proof (60)"},
	{"--no-wait", NULL, G_NOWAIT, NULL, "do not wait for it"},
	{"--socket", NULL, G_SOCKET, "PATH", "of management (" CLI_SOCKET ")"},
	{"--server", NULL, G_SERVER, "HOST:PORT", "management over TLS"},
	{"--token", NULL, G_TOKEN, "TOKEN", "who we are, with --server"},
	{"--ca-pin", NULL, G_PIN, "SHA256", "of management's authority"},
	{"--context", NULL, G_CONTEXT, "FILE",
		"with server, token and ca_pin (~/.config/ispdns/config.yaml)"},
	{"--timeout", NULL, G_TIMEOUT, "SECONDS", "of one call (30)"},
	{"--quiet", "-q", G_QUIET, NULL, "no progress lines"},
	{"--yes", "-y", G_YES, NULL, "never ask (nothing asks today)"},
	{"--help", "-h", G_HELP, NULL, "of the command"},
	{"--version", "-V", G_VERSION, NULL, "of this program"},
};

static const struct global_option *find_global(const char *word, size_t len)
{
	for (size_t i = 0; i < countof(globals); i++)
		if ((strlen(globals[i].name) == len &&
			    strncmp(word, globals[i].name, len) == 0) ||
			(globals[i].letter &&
				strcmp(word, globals[i].letter) == 0))
			return &globals[i];
	return NULL;
}

static int parse_seconds(
	const char *name, const char *value, int *out, struct err *err)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (!*value || *end || n < 0 || n > 86400) {
		err_set(err, "%s: seconds expected, not '%s'", name, value);
		return CLI_USAGE;
	}
	*out = (int)n;
	return CLI_OK;
}

static int set_global(struct cli *cli, const struct global_option *g,
	const char *value, struct err *err)
{
	int seconds = 0, rc = CLI_OK;

	switch (g->id) {
	case G_JSON:
		cli->json = true;
		break;
	case G_DRY:
		cli->dry_run = true;
		break;
	case G_QUIET:
		cli->quiet = true;
		break;
	case G_HELP:
		cli->help = true;
		break;
	case G_NOWAIT:
		cli->wait_s = 0;
		break;
	case G_MESSAGE:
		cli->message = value;
		break;
	case G_SOCKET:
		cli->socket = value;
		break;
	case G_SERVER:
		cli->server = value;
		cli->socket = NULL; /* of the environment */
		break;
	case G_TOKEN:
		cli->token = value;
		break;
	case G_PIN:
		cli->ca_pin = value;
		break;
	case G_CONTEXT:
		cli->context = value;
		break;
	case G_WAIT:
		rc = parse_seconds(g->name, value, &cli->wait_s, err);
		break;
	case G_TIMEOUT:
		rc = parse_seconds(g->name, value, &seconds, err);
		cli->timeout_ms = seconds * 1000;
		break;
	case G_YES:
	case G_VERSION:
		break;
	}
	return rc;
}

/* The value of option `name`: behind "=" or the next word. NULL: missing. */
static const char *option_value(struct words *w, const char *equals)
{
	if (equals)
		return equals + 1;
	if (w->at + 1 >= w->argc)
		return NULL;
	return w->argv[++w->at];
}

/* 1: it was a global option; 0: it was none; else an exit code + 100. */
static int take_global(struct cli *cli, struct words *w, struct err *err)
{
	const char *word = w->argv[w->at], *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct global_option *g = find_global(word, len);
	const char *value = NULL;
	int rc;

	if (!g)
		return 0;
	if (g->value)
		value = option_value(w, equals);
	if (!g->value && equals) {
		err_set(err, "%s takes no value", g->name);
		return 100 + CLI_USAGE;
	}
	if (g->value && !value) {
		err_set(err, "%s: %s is missing", g->name, g->value);
		return 100 + CLI_USAGE;
	}
	rc = set_global(cli, g, value, err);
	return rc == CLI_OK ? 1 : 100 + rc;
}

/* ---- which command ---- */

static bool same_noun(const char *word, const char *noun, size_t len)
{
	size_t n = strlen(word);

	if (n == len + 1 && word[len] == 's') /* plurals */
		n--;
	return n == len && strncmp(word, noun, len) == 0;
}

/* Synonyms of verbs. */
static const char *verb_name(const char *verb)
{
	static const char *const pairs[][2] = {{"rm", "delete"},
		{"remove", "delete"}, {"ls", "list"}, {"get", "show"},
		{"new", "create"}};

	for (size_t i = 0; verb && i < countof(pairs); i++)
		if (strcmp(verb, pairs[i][0]) == 0)
			return pairs[i][1];
	return verb;
}

/* The verb itself, its synonym, the short form of that; NULL: there is none. */
static const char *verb_spelt(const char *verb, int attempt)
{
	const char *name = attempt ? verb_name(verb) : verb;

	if (attempt < 2)
		return name;
	if (strcmp(name, "delete") == 0 || strcmp(name, "del") == 0)
		return attempt == 2 ? "del" : "remove";
	return strcmp(name, "create") == 0 ? "add" : NULL;
}

/* Does `word` stand for the first word of `words`, which is number `n`? */
static bool same_word(const char *words, int n, const char *word, int attempt)
{
	size_t len = strcspn(words, " ");

	if (words[len] && n == 0)
		return same_noun(word, words, len);
	if (!words[len])
		word = verb_spelt(word, attempt);
	return word && strlen(word) == len && strncmp(word, words, len) == 0;
}

const char *command_behind(const struct command *c, char **argv, int depth)
{
	const char *words = c->words;

	for (int n = 0; n < depth; n++) {
		const char *space = strchr(words, ' ');

		if (!space || !same_word(words, n, argv[n], 0))
			return NULL;
		words = space + 1;
	}
	return words;
}

/* How many words of argv are the command; 0: they are not. */
static int match(const struct command *c, int argc, char **argv, int attempt)
{
	const char *words = c->words;
	int n = 0;

	for (; *words; n++) {
		if (n >= argc || !same_word(words, n, argv[n], attempt))
			return 0;
		words += strcspn(words, " ");
		words += *words == ' ';
	}
	return n;
}

const struct command *command_find(int argc, char **argv, int *used)
{
	const struct command *c;

	for (int attempt = 0; attempt < 4; attempt++)
		for (size_t i = 0; (c = command_at(i)) != NULL; i++)
			if ((*used = match(c, argc, argv, attempt)) > 0)
				return c;
	return NULL;
}

int command_depth(int argc, char **argv)
{
	const struct command *c;
	int depth = 0;

	for (size_t i = 0; depth < argc && (c = command_at(i)) != NULL;)
		if (command_behind(c, argv, depth + 1)) {
			depth++;
			i = 0;
		} else {
			i++;
		}
	return depth;
}

void command_next(char **argv, int depth,
	void (*each)(const char *word, size_t len, void *arg), void *arg)
{
	const struct command *c;
	const char *word, *last = "";
	size_t len, last_len = 0;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		word = command_behind(c, argv, depth);
		if (!word || word[0] == '_')
			continue;
		len = strcspn(word, " ");
		if (len != last_len || strncmp(last, word, len) != 0)
			each(word, len, arg);
		last = word;
		last_len = len;
	}
}

static void add_word(const char *word, size_t len, void *arg)
{
	struct text *list = arg;

	text_add(list, "%s%.*s", list->len ? ", " : "", (int)len, word);
}

/* What may stand in place of the first word that no command has. */
static int unknown(int argc, char **argv, struct err *err)
{
	int depth = command_depth(argc, argv);
	const char *bad = depth < argc ? argv[depth] : "-";
	struct text list, where;

	text_init(&list);
	text_init(&where);
	command_next(argv, depth, add_word, &list);
	for (int n = 0; n < depth; n++)
		text_add(&where, "%s%s", n ? " " : "", argv[n]);
	if (depth == 0)
		err_set(err, "'%s' is no command; allowed: %s", bad, list.data);
	else if (bad[0] == '-')
		err_set(err, "%s: a verb is missing; allowed: %s", where.data,
			list.data);
	else
		err_set(err, "%s: '%s' is unknown; allowed: %s", where.data,
			bad, list.data);
	text_fini(&where);
	text_fini(&list);
	return CLI_USAGE;
}

/* ---- the command's own arguments ---- */

static bool has_rest(const struct command *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->params[i].type == PARAM_REST)
			return true;
	return false;
}

/* "max-ttl" or "max_ttl" or the API's key. */
static bool option_named(const struct param *p, const char *name, size_t len)
{
	size_t i;

	if (strlen(p->key) == len && strncmp(name, p->key, len) == 0)
		return true;
	if (strlen(p->word) != len)
		return false;
	for (i = 0; i < len; i++)
		if (name[i] != p->word[i] &&
			!(name[i] == '_' && p->word[i] == '-'))
			return false;
	return true;
}

static const struct param *find_option(
	const struct command *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->params[i].flags & PARAM_OPTION &&
			option_named(&c->params[i], name, len))
			return &c->params[i];
	return NULL;
}

/* "--name ..." of the command. */
static int take_option(
	struct cli *cli, struct words *w, json_t *args, struct err *err)
{
	const struct command *c = cli->command;
	const char *word = w->argv[w->at], *name = word + 2;
	const char *equals = strchr(name, '='), *value;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct param *p = find_option(c, name, len);

	if (!p && strncmp(name, "no-", 3) == 0 && !equals) {
		p = find_option(c, name + 3, len - 3);
		if (p && p->type == PARAM_BOOL)
			return args_set(c, p, "no", args, err);
		p = NULL;
	}
	if (!p)
		return args_error(c, err, "unknown option ", word);
	if (p->type == PARAM_BOOL && !equals) {
		value = w->at + 1 < w->argc &&
					args_truth(w->argv[w->at + 1]) >= 0
				? w->argv[++w->at]
				: "yes";
		return args_set(c, p, value, args, err);
	}
	value = option_value(w, equals);
	if (!value)
		return args_error(c, err, "a value is missing for ", word);
	return args_set(c, p, value, args, err);
}

/* A word that is no option: NAME=VALUE of an option, or the next place. */
static int take_word(struct cli *cli, const char *word, size_t *place,
	json_t *args, struct err *err)
{
	const struct command *c = cli->command;
	const char *equals = strchr(word, '=');
	const struct param *p = NULL;

	if (equals && !has_rest(c))
		p = find_option(c, word, (size_t)(equals - word));
	if (p)
		return args_set(c, p, equals + 1, args, err);
	while (*place < c->count && c->params[*place].flags & PARAM_OPTION)
		++*place;
	if (*place >= c->count)
		return args_error(c, err, "too many words at ", word);
	p = &c->params[*place];
	if (p->type != PARAM_REST)
		++*place;
	return args_set(c, p, word, args, err);
}

static bool given(const json_t *args, const char *key)
{
	return json_object_get(args, key) != NULL;
}

static int check_required(
	const struct command *c, const json_t *args, struct err *err)
{
	const struct param *p;

	for (size_t i = 0; i < c->count; i++) {
		p = &c->params[i];
		if (p->flags & PARAM_REQUIRED && !given(args, p->key))
			return args_error(c, err,
				p->flags & PARAM_OPTION ? "missing: --"
							: "missing: ",
				p->word);
	}
	return CLI_OK;
}

/* `vip set --version` is the command's, though every command has --version. */
static bool is_own_option(const struct command *c, const char *word)
{
	return strncmp(word, "--", 2) == 0 &&
	       find_option(c, word + 2, strcspn(word + 2, "="));
}

static int parse_rest(
	struct cli *cli, struct words *w, json_t *args, struct err *err)
{
	bool raw = cli->command->run == run_drill ||
		   cli->command->run == run_complete;
	size_t place = 0;
	int rc = CLI_OK;

	cli->raw = w->argv + w->at;
	cli->raw_count = w->argc - w->at;
	for (; w->at < w->argc && rc == CLI_OK && !raw; w->at++) {
		if (!w->only_words && strcmp(w->argv[w->at], "--") == 0) {
			w->only_words = true;
			continue;
		}
		if (w->only_words || w->argv[w->at][0] != '-' ||
			!w->argv[w->at][1]) {
			rc = take_word(cli, w->argv[w->at], &place, args, err);
			continue;
		}
		rc = is_own_option(cli->command, w->argv[w->at])
			     ? 0
			     : take_global(cli, w, err);
		if (rc == 0 && w->argv[w->at][1] != '-')
			rc = args_error(cli->command, err, "unknown option ",
				w->argv[w->at]);
		else if (rc == 0)
			rc = take_option(cli, w, args, err);
		else
			rc = rc == 1 ? CLI_OK : rc - 100;
	}
	if (rc != CLI_OK || cli->help || raw)
		return rc;
	return check_required(cli->command, args, err);
}

static int parse_command(struct cli *cli, struct words *w, struct err *err)
{
	int used = 0;

	cli->command = command_find(w->argc - w->at, w->argv + w->at, &used);
	if (!cli->command && !cli->help)
		return unknown(w->argc - w->at, w->argv + w->at, err);
	w->at += used;
	return CLI_OK;
}

int command_parse(
	struct cli *cli, int argc, char **argv, json_t **args, struct err *err)
{
	static char version[] = "version";
	struct words w = {.argc = argc, .argv = argv};
	int rc = CLI_OK;

	*args = json_object();
	for (; w.at < argc && argv[w.at][0] == '-'; w.at++) {
		if (strcmp(argv[w.at], "--version") == 0 ||
			strcmp(argv[w.at], "-V") == 0) {
			argv[w.at] = version;
			break;
		}
		rc = take_global(cli, &w, err);
		if (rc == 0) {
			err_set(err, "'%s' is no option; see `ispdns help`",
				argv[w.at]);
			return CLI_USAGE;
		}
		if (rc != 1)
			return rc - 100;
	}
	if (w.at >= argc) {
		cli->help = true;
		return CLI_OK;
	}
	rc = parse_command(cli, &w, err);
	if (rc != CLI_OK || !cli->command)
		return rc;
	return parse_rest(cli, &w, *args, err);
}

/* ---- help ---- */

static void help_globals(struct text *out)
{
	char left[40];

	text_add(out, "\noptions of every command:\n");
	for (size_t i = 0; i < countof(globals); i++) {
		snprintf(left, sizeof(left), "%s%s%s%s%s", globals[i].name,
			globals[i].letter ? ", " : "",
			globals[i].letter ? globals[i].letter : "",
			globals[i].value ? " " : "",
			globals[i].value ? globals[i].value : "");
		text_add(out, "  %-24s %s\n", left, globals[i].help);
	}
}

bool command_help(const char *topic, struct text *out)
{
	const struct command *c;
	size_t len = strlen(topic), found = 0;

	for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
		if (c->words[0] == '_' || strncmp(c->words, topic, len) != 0 ||
			(len && c->words[len] && c->words[len] != ' '))
			continue;
		found++;
		if (len)
			args_help(c, out);
		else
			text_add(out, "  %-20s %s\n", c->words, c->help);
	}
	if (!len)
		help_globals(out);
	return found > 0;
}
