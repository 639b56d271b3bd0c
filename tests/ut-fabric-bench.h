/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ENodes for the tests of the fabric: they speak FIP and FCoE with it in memory, under a clock that the test
 * turns. Two VSANs, 10 and 20; ports p0 and p1 in both.
 */
#ifndef UT_FABRIC_BENCH_H
#define UT_FABRIC_BENCH_H

#include "ether.h"
#include "fabric.h"
#include "fc.h"
#include "fip.h"

struct bench {
	struct fabric *f;
	uint64_t now;
	char text[8192]; /* of the last command */
	uint8_t reason, explanation; /* of the last LS_RJT or FS_RJT */
	/* The last frame that was taken. */
	uint8_t eth[ETHER_FRAME_MAX];
	size_t len;
	unsigned port;
	struct ether_view view;
	struct frame fc;
};

struct node { /* an N_Port of the test */
	unsigned port;
	uint16_t vlan;
	uint8_t mac[MAC_LEN];
	uint64_t wwpn, wwnn;
	uint32_t id;
};

void bench_open(struct bench *b); /* ports up, nothing waiting */
void bench_close(struct bench *b);

bool bench_command(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Turn the clock, running what is due on the way. */
void bench_wait(struct bench *b, uint64_t us);

/* The next frame that the fabric sends, or false. */
bool bench_take(struct bench *b);
/* Skips to the next FC frame (FCoE) and decodes it into b->fc. */
bool bench_take_fc(struct bench *b);
unsigned bench_drain(struct bench *b); /* how many there were */

/* A FIP frame with the given descriptors. */
void bench_fip(struct bench *b, const struct node *n, unsigned kind, const uint8_t *desc, size_t len);
void bench_keep_alive(struct bench *b, const struct node *n, bool of_vn);

/* FLOGI or FDISC; the N_Port_ID, also in n->id; 0: rejected, or (reason 0) not answered. */
uint32_t bench_login(struct bench *b, struct node *n, bool fdisc);
bool bench_logo(struct bench *b, struct node *n);

/* An FC frame from n; wrong_mac: from an address that is not its own. */
void bench_send(struct bench *b, const struct node *n, uint32_t d_id, uint8_t r_ctl, uint8_t type,
		const uint8_t *payload, size_t len);
/* A CT request to the name server; the answer's length without CT header in b->fc; -1: FS_RJT, -2: none. */
int bench_ct(struct bench *b, const struct node *n, uint16_t command, const uint8_t *body, size_t len);
void bench_register(struct bench *b, const struct node *n); /* RFT_ID with FCP, SCR */

/* node N: MAC 02:..:N, WWPN 50...0N; NPIV ports of one ENode share the MAC. */
struct node bench_node(unsigned port, uint16_t vlan, uint8_t mac, uint8_t name);

#endif
