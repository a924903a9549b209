/* SPDX-License-Identifier: ISC */
/* Slots: take and give, generations, wrong indices, memory running out. */

#include "common/base/slots.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <errno.h>

struct item {
	int value;
	char pad[60];
};

static void test_use(void)
{
	struct slots slots;
	struct item *item;
	uint32_t a, b, generation;

	is_int(slots_init(&slots, 2, sizeof(struct item)), 0, "init");
	a = slots_take(&slots);
	b = slots_take(&slots);
	ok(a != b && a < 2 && b < 2, "two different slots");
	is_int(slots_take(&slots), SLOT_NONE, "a third: none");
	is_int(slots.used, 2, "used");
	item = slots_get(&slots, a);
	item->value = 42;
	is_int(slots_index(&slots, item), a, "index of an item");
	generation = slots_generation(&slots, a);
	ok(slots_get_gen(&slots, a, generation) == item, "by generation");
	slots_give(&slots, a);
	ok(slots_get(&slots, a) == NULL, "a free slot is not got");
	is_int(slots_take(&slots), a, "taken again");
	ok(slots_get_gen(&slots, a, generation) == NULL,
		"the former user is told apart");
	ok(slots_get_gen(&slots, a, generation + 1) == item, "the new is not");
	is_int(((struct item *)slots_get(&slots, a))->value, 42,
		"bytes are as the last user left them");
	ok(slots_get(&slots, 2) == NULL, "out of range");
	ok(slots_get(&slots, SLOT_NONE) == NULL, "SLOT_NONE");
	is_int(slots_generation(&slots, 99), 0, "generation out of range");
	slots_fini(&slots);
	ok(slots_get(&slots, 0) == NULL, "nothing after fini");
	is_int(slots_take(&slots), SLOT_NONE, "nothing to take after fini");
}

static void test_churn(void)
{
	enum {
		COUNT = 100
	};
	struct slots slots;
	uint32_t held[COUNT];
	bool unique = true;

	if (slots_init(&slots, COUNT, 8) != 0)
		tap_bail("slots_init");
	for (int round = 0; round < 50; round++) {
		bool seen[COUNT] = {false};

		for (int i = 0; i < COUNT; i++) {
			held[i] = slots_take(&slots);
			unique = unique && held[i] < COUNT && !seen[held[i]];
			seen[held[i] % COUNT] = true;
		}
		for (int i = 0; i < COUNT; i++)
			slots_give(&slots, held[(i * 7) % COUNT]);
	}
	ok(unique, "never the same slot twice");
	is_int(slots.used, 0, "all given back");
	slots_fini(&slots);
}

static void test_bad(void)
{
	struct slots slots;
	int ret = -ENOMEM;
	unsigned n;

	is_int(slots_init(&slots, 0, 8), -EINVAL, "no slots");
	is_int(slots_init(&slots, UINT32_MAX, 8), -EINVAL, "too many");
	is_int(slots_init(&slots, 8, 0), -EINVAL, "no size");
	for (n = 0; ret == -ENOMEM && n < 10; n++) {
		failmem_after(n);
		ret = slots_init(&slots, 8, 8);
		failmem_off();
		slots_fini(&slots);
	}
	is_int(ret, 0, "works once memory is there");
	is_int(n, 4, "after failing at each of three requests");
}

int main(void)
{
	test_use();
	test_churn();
	test_bad();
	return tap_done();
}
