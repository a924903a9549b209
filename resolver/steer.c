/* SPDX-License-Identifier: ISC */
/*
 * A classic BPF program, made for the number of workers: it sees the payload,
 * and its result is the index of a socket in the group. There are no loops,
 * so the octets of the name are unrolled up to NAME_OCTETS: FNV-1a over them
 * with bit 5 set, which folds case (and some other octets, which does no
 * harm). A load past the end of the packet ends the program with 0. A result
 * beyond the group (a worker has just died) falls back to the kernel's hash.
 */

#include "resolver/steer.h"

#include <errno.h>
#include <sys/socket.h>

#include <linux/filter.h>

#define NAME_AT     12 /* behind the header */
#define NAME_OCTETS 64
#define PER_OCTET   8
#define PROGRAM_MAX (2 + NAME_OCTETS * PER_OCTET + 8)
#define FNV_START   0x811c9dc5u
#define FNV_PRIME   0x01000193u

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void add(struct program *p, unsigned code, unsigned k)
{
	p->code[p->len++] =
		(struct sock_filter){.code = (unsigned short)code, .k = k};
}

/* M[0] = (M[0] ^ octet) * prime; jumps to `end` when the octet is 0. */
static void add_octet(struct program *p, unsigned at, unsigned end)
{
	add(p, BPF_LD | BPF_B | BPF_ABS, at);
	p->code[p->len++] = (struct sock_filter){
		.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = 0};
	add(p, BPF_JMP | BPF_JA, end - (p->len + 1u));
	add(p, BPF_ALU | BPF_OR | BPF_K, 0x20);
	add(p, BPF_LDX | BPF_W | BPF_MEM, 0);
	add(p, BPF_ALU | BPF_XOR | BPF_X, 0);
	add(p, BPF_ALU | BPF_MUL | BPF_K, FNV_PRIME);
	add(p, BPF_ST, 0);
}

static void make_program(struct program *p, unsigned count)
{
	const unsigned end = 2 + NAME_OCTETS * PER_OCTET;

	p->len = 0;
	add(p, BPF_LD | BPF_IMM, FNV_START);
	add(p, BPF_ST, 0);
	for (unsigned i = 0; i < NAME_OCTETS; i++)
		add_octet(p, NAME_AT + i, end);
	add(p, BPF_LD | BPF_W | BPF_MEM, 0);
	add(p, BPF_MISC | BPF_TAX, 0);
	add(p, BPF_ALU | BPF_RSH | BPF_K, 15);
	add(p, BPF_ALU | BPF_XOR | BPF_X, 0);
	add(p, BPF_ALU | BPF_MOD | BPF_K, count);
	add(p, BPF_RET | BPF_A, 0);
}

unsigned steer_index(const uint8_t *name, unsigned count)
{
	uint32_t h = FNV_START;

	for (unsigned i = 0; i < NAME_OCTETS && name[i] != 0; i++)
		h = (h ^ (name[i] | 0x20u)) * FNV_PRIME;
	return (h ^ h >> 15) % count;
}

int steer_attach(int fd, unsigned count, struct err *err)
{
	struct program p;
	struct sock_fprog prog;

	if (count == 0)
		return err_fail(err, -EINVAL, "steering: no sockets");
	make_program(&p, count);
	prog.len = p.len;
	prog.filter = p.code;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		    sizeof(prog)) == 0)
		return 0;
	return err_fail(err, -errno, "steering: %s", strerror(errno));
}

void steer_detach(int fd)
{
	int none = 0;

	/* Without a program there is nothing to do. */
	(void)setsockopt(
		fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof(none));
}
