/* SPDX-License-Identifier: ISC */
/* The trees of NSD-ready files: load, compare, switch, mark, prune. */

#include "authority/tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/ctl/file.h"

#define MANIFEST_MAX ((size_t)1 << 30)

struct parser {
	struct tree *tree;
	char *p;
	size_t size; /* of tree->zones */
};

/* Next word of the line, ended in place; NULL: the line ends here. */
static char *next_word(char **p)
{
	char *word = *p;

	if (*word == '\0')
		return NULL;
	*p += strcspn(*p, " ");
	if (**p == ' ')
		*(*p)++ = '\0';
	return word;
}

static bool parse_serial(const char *word, uint32_t *serial)
{
	unsigned long long value;
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	value = strtoull(word, &end, 10);
	*serial = (uint32_t)value;
	return *end == '\0' && value <= UINT32_MAX;
}

static bool is_sha(const char *word)
{
	uint8_t digest[DIGEST_SIZE];

	return hex_parse(word, digest, DIGEST_SIZE);
}

static int fill_names(struct tree *tree, struct tree_zone *zone, char *text)
{
	size_t len = strlen(text);
	struct name name;

	if (name_parse(text, &name) < 0)
		return -EINVAL;
	zone->name = arena_strdup(&tree->arena, text);
	zone->wire = arena_memdup(&tree->arena, &name, sizeof(name));
	if (len > 1 && text[len - 1] == '.')
		text[len - 1] = '\0';
	zone->nsd_name = arena_strdup(&tree->arena, text);
	return zone->name && zone->wire && zone->nsd_name ? 0 : -ENOMEM;
}

static int parse_line(struct tree *tree, char *line, struct tree_zone *zone)
{
	char *name = next_word(&line), *file = next_word(&line);
	char *serial = next_word(&line), *source = next_word(&line);
	char *sha = next_word(&line);
	char plain[NAME_MAX_TEXT + 8];

	if (!sha || *line || strchr(file, '/') ||
		!parse_serial(serial, &zone->serial) || !is_sha(source) ||
		!is_sha(sha) || fill_names(tree, zone, name) < 0)
		return -EINVAL;
	zone->file = arena_strdup(&tree->arena, file);
	zone->source_sha = arena_strdup(&tree->arena, source);
	zone->sha = arena_strdup(&tree->arena, sha);
	snprintf(plain, sizeof(plain), "%s.zone", zone->nsd_name);
	zone->plain = strcmp(plain, file) == 0;
	return zone->file && zone->source_sha && zone->sha ? 0 : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	const struct tree_zone *x = a, *y = b;

	return name_compare(x->wire->wire, y->wire->wire);
}

static size_t count_lines(const char *p)
{
	size_t n = 0;

	for (; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

/* All lines behind the first. */
static int parse_lines(struct tree *tree, char *p)
{
	tree->zones = arena_array(
		&tree->arena, count_lines(p) + 1, sizeof(struct tree_zone));
	if (!tree->zones)
		return -ENOMEM;
	while (*p) {
		char *end = strchr(p, '\n');
		int rc;

		if (!end)
			return -EINVAL;
		*end = '\0';
		rc = parse_line(tree, p, &tree->zones[tree->count]);
		if (rc < 0)
			return rc;
		tree->count++;
		p = end + 1;
	}
	qsort(tree->zones, tree->count, sizeof(struct tree_zone), by_name);
	for (size_t i = 1; i < tree->count; i++) {
		if (by_name(&tree->zones[i - 1], &tree->zones[i]) == 0)
			return -EINVAL;
	}
	return 0;
}

static int parse_manifest(struct tree *tree, char *text)
{
	char *end = strchr(text, '\n');
	int used = 0;

	if (!end)
		return -EINVAL;
	*end = '\0';
	if (sscanf(text, "ispdns-tree 1 %lld%n", &tree->generation, &used) !=
			1 ||
		text[used] != '\0')
		return -EINVAL;
	return parse_lines(tree, end + 1);
}

static bool is_good(const char *state, long long number)
{
	char path[TREE_PATH];

	return path_join(path, sizeof(path), "%s/gen/%lld/good", state,
		       number) == 0 &&
	       access(path, F_OK) == 0;
}

struct tree *tree_load_folder(
	const char *folder, long long number, struct err *err)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	char path[TREE_PATH], *text;
	size_t len;
	int rc;

	if (!tree || path_join(path, sizeof(path), "%s/" TREE_MANIFEST,
			     folder) < 0) {
		err_set(err, "out of memory");
		free(tree);
		return NULL;
	}
	arena_init(&tree->arena, 1 << 16, 0);
	tree->number = number;
	rc = file_read(path, MANIFEST_MAX, &text, &len, err);
	if (rc == 0) {
		rc = strlen(text) == len ? parse_manifest(tree, text) : -EINVAL;
		free(text);
		if (rc < 0)
			err_set(err, "%s: %s", path,
				rc == -ENOMEM ? "out of memory" : "not whole");
	}
	if (rc == 0)
		return tree;
	tree_free(tree);
	return NULL;
}

struct tree *tree_load(const char *state, long long number, struct err *err)
{
	char folder[TREE_PATH];
	struct tree *tree;

	if (path_join(folder, sizeof(folder), "%s/gen/%lld", state, number) <
		0) {
		err_set(err, "%s: too long", state);
		return NULL;
	}
	tree = tree_load_folder(folder, number, err);
	if (tree)
		tree->good = is_good(state, number);
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	arena_fini(&tree->arena);
	free(tree);
}

const struct tree_zone *tree_find(const struct tree *tree, const uint8_t *wire)
{
	size_t low = 0, high = tree ? tree->count : 0;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = name_compare(tree->zones[mid].wire->wire, wire);

		if (order == 0)
			return &tree->zones[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void tree_print_line(const struct tree_zone *zone, struct text *out)
{
	text_add(out, "%s %s %u %s %s\n", zone->name, zone->file, zone->serial,
		zone->source_sha, zone->sha);
}

/* "12" -> 12, else 0. */
static long long parse_number(const char *name)
{
	char *end;
	long long n;

	if (name[0] < '1' || name[0] > '9' || strlen(name) > 15)
		return 0;
	n = strtoll(name, &end, 10);
	return *end == '\0' ? n : 0;
}

long long tree_current(const char *state)
{
	char path[TREE_PATH], target[64];
	ssize_t n;

	if (path_join(path, sizeof(path), "%s/current", state) < 0)
		return 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	return strncmp(target, "gen/", 4) == 0 ? parse_number(target + 4) : 0;
}

/* Numbers of all whole trees into *out (free it), unsorted. */
static size_t list_trees(const char *state, long long **out)
{
	char path[TREE_PATH];
	size_t n = 0, size = 0;
	struct dirent *e;
	DIR *dir;

	*out = NULL;
	if (path_join(path, sizeof(path), "%s/gen", state) < 0)
		return 0;
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL) {
		long long number = parse_number(e->d_name), *bigger;

		if (number == 0)
			continue;
		if (n == size) {
			size = size * 2 + 16;
			bigger = realloc(*out, size * sizeof(**out));
			if (!bigger)
				break;
			*out = bigger;
		}
		(*out)[n++] = number;
	}
	if (dir)
		closedir(dir);
	return n;
}

long long tree_next_number(const char *state)
{
	long long *numbers, max = 0;
	size_t n = list_trees(state, &numbers);

	for (size_t i = 0; i < n; i++)
		max = numbers[i] > max ? numbers[i] : max;
	free(numbers);
	return max + 1;
}

long long tree_last_good(const char *state)
{
	long long *numbers, max = 0;
	size_t n = list_trees(state, &numbers);

	for (size_t i = 0; i < n; i++) {
		if (numbers[i] > max && is_good(state, numbers[i]))
			max = numbers[i];
	}
	free(numbers);
	return max;
}

int tree_switch(const char *state, long long number, struct err *err)
{
	char link[TREE_PATH], target[64];

	if (path_join(link, sizeof(link), "%s/current", state) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", state);
	snprintf(target, sizeof(target), "gen/%lld", number);
	return link_replace(target, link, err);
}

int tree_mark_good(const char *state, struct tree *tree, struct err *err)
{
	char path[TREE_PATH];
	int rc;

	if (path_join(path, sizeof(path), "%s/gen/%lld/good", state,
		    tree->number) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", state);
	rc = file_write(path, "", 0, 0640, err);
	tree->good = tree->good || rc == 0;
	return rc;
}

static int newest_first(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

static void remove_tree(const char *state, const char *name)
{
	char path[TREE_PATH];
	struct err err;

	if (path_join(path, sizeof(path), "%s/gen/%s", state, name) < 0)
		return;
	if (dir_remove(path, &err) < 0)
		log_warn("authority: cannot remove an old tree: %s", err.text);
}

void tree_clean(const char *state)
{
	char path[TREE_PATH];
	struct dirent *e;
	DIR *dir;

	if (path_join(path, sizeof(path), "%s/gen", state) < 0)
		return;
	dir = opendir(path);
	while (dir && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len > 4 && strcmp(e->d_name + len - 4, ".tmp") == 0)
			remove_tree(state, e->d_name);
	}
	if (dir)
		closedir(dir);
}

void tree_prune(const char *state, size_t keep, long long except)
{
	long long current = tree_current(state), good = tree_last_good(state);
	long long *numbers;
	size_t n = list_trees(state, &numbers);
	char name[32];

	if (n > 1)
		qsort(numbers, n, sizeof(*numbers), newest_first);
	for (size_t i = keep; i < n; i++) {
		if (numbers[i] == current || numbers[i] == good ||
			numbers[i] == except)
			continue;
		snprintf(name, sizeof(name), "%lld", numbers[i]);
		remove_tree(state, name);
	}
	free(numbers);
}

void tree_diff(const struct tree *from, const struct tree *to, tree_diff_cb cb,
	void *arg)
{
	size_t i = 0, j = 0, n = from ? from->count : 0;

	while (i < n || j < to->count) {
		const struct tree_zone *a = i < n ? &from->zones[i] : NULL;
		const struct tree_zone *b =
			j < to->count ? &to->zones[j] : NULL;
		int order = !a   ? 1
			    : !b ? -1
				 : name_compare(a->wire->wire, b->wire->wire);

		if (order < 0)
			cb(arg, TREE_DELETED, a);
		else if (order > 0)
			cb(arg, TREE_ADDED, b);
		else if (strcmp(a->sha, b->sha) != 0)
			cb(arg, TREE_CHANGED, b);
		i += order <= 0;
		j += order >= 0;
	}
}
