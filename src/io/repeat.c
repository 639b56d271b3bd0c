/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleanup.h"
#include "repeat.h"
#include "scsi_sense.h"

#define ANY REPEAT_ANY_ACTION
#define OK REPEAT_HARMLESS
#define NO REPEAT_NEVER

/*
 * "Same data" for all that writes: until it is answered, the initiator counts the command as under way, so a
 * second execution is one that came late; and it leaves the blocks as the first did. That nobody else's write
 * lies in between is what the initiator has to see to anyway, with the command still under way.
 */
static const struct repeat_rule rules[] = {
	{0x00, ANY, OK, "TEST UNIT READY: changes nothing"},
	{0x03, ANY, OK, "REQUEST SENSE: what it took away, a nexus that was cut off tells anew"},
	{0x04, ANY, NO, "FORMAT UNIT: what was written after the first one would be lost"},
	{0x07, ANY, NO, "REASSIGN BLOCKS: uses up spare blocks each time"},
	{0x08, ANY, OK, "READ(6): changes nothing"},
	{0x0a, ANY, OK, "WRITE(6): same blocks, same data"},
	{0x12, ANY, OK, "INQUIRY: changes nothing"},
	{0x15, ANY, OK, "MODE SELECT(6): same values"},
	{0x16, ANY, OK, "RESERVE(6): of what one has reserved it is no change"},
	{0x17, ANY, OK, "RELEASE(6): of what is not reserved it is no change"},
	{0x1a, ANY, OK, "MODE SENSE(6): changes nothing"},
	{0x1b, ANY, OK, "START STOP UNIT: same state"},
	{0x1c, ANY, OK, "RECEIVE DIAGNOSTIC RESULTS: changes nothing"},
	{0x1d, ANY, NO, "SEND DIAGNOSTIC: a test or a page of a vendor's, effects not known"},
	{0x1e, ANY, OK, "PREVENT ALLOW MEDIUM REMOVAL: same state"},
	{0x25, ANY, OK, "READ CAPACITY(10): changes nothing"},
	{0x28, ANY, OK, "READ(10): changes nothing"},
	{0x2a, ANY, OK, "WRITE(10): same blocks, same data"},
	{0x2e, ANY, OK, "WRITE AND VERIFY(10): same blocks, same data"},
	{0x2f, ANY, OK, "VERIFY(10): changes nothing"},
	{0x34, ANY, OK, "PRE-FETCH(10): a hint"},
	{0x35, ANY, OK, "SYNCHRONIZE CACHE(10): what is on the medium stays there"},
	{0x37, ANY, OK, "READ DEFECT DATA(10): changes nothing"},
	{0x3b, ANY, NO, "WRITE BUFFER: may load microcode, in steps"},
	{0x3c, ANY, OK, "READ BUFFER(10): changes nothing"},
	{0x41, ANY, OK, "WRITE SAME(10): same blocks, same data"},
	{0x42, ANY, OK, "UNMAP: what is unmapped stays so"},
	{0x48, ANY, NO, "SANITIZE: what was written after the first one would be lost"},
	{0x4c, ANY, NO, "LOG SELECT: clears counters, and what they counted in between"},
	{0x4d, ANY, OK, "LOG SENSE: changes nothing that is counted on"},
	{0x51, ANY, NO, "XPWRITE: an exclusive or, undone by the second one"},
	{0x53, ANY, NO, "XDWRITEREAD: the second one reads what the first wrote"},
	{0x55, ANY, OK, "MODE SELECT(10): same values"},
	{0x56, ANY, OK, "RESERVE(10): of what one has reserved it is no change"},
	{0x57, ANY, OK, "RELEASE(10): of what is not reserved it is no change"},
	{0x5a, ANY, OK, "MODE SENSE(10): changes nothing"},
	{0x5e, ANY, OK, "PERSISTENT RESERVE IN: changes nothing"},
	{0x5f, ANY, NO, "PERSISTENT RESERVE OUT: the second one meets another key: a conflict with oneself"},
	{0x83, ANY, NO,
	 "EXTENDED COPY, token commands: the source may have changed; list identifiers are in use"},
	{0x84, ANY, NO, "RECEIVE COPY RESULTS: what was told once may be forgotten"},
	{0x88, ANY, OK, "READ(16): changes nothing"},
	{0x89, ANY, NO, "COMPARE AND WRITE: the second one compares with what the first wrote"},
	{0x8a, ANY, OK, "WRITE(16): same blocks, same data"},
	{0x8b, ANY, NO, "ORWRITE: its generation may have moved on"},
	{0x8e, ANY, OK, "WRITE AND VERIFY(16): same blocks, same data"},
	{0x8f, ANY, OK, "VERIFY(16): changes nothing"},
	{0x90, ANY, OK, "PRE-FETCH(16): a hint"},
	{0x91, ANY, OK, "SYNCHRONIZE CACHE(16): what is on the medium stays there"},
	{0x93, ANY, OK, "WRITE SAME(16): same blocks, same data"},
	{0x9c, ANY, OK, "WRITE ATOMIC(16): same blocks, same data, each time all or nothing"},
	{0x9e, 0x10, OK, "READ CAPACITY(16): changes nothing"},
	{0x9e, 0x12, OK, "GET LBA STATUS: changes nothing"},
	{0xa0, ANY, OK, "REPORT LUNS: changes nothing"},
	{0xa3, 0x05, OK, "REPORT IDENTIFYING INFORMATION: changes nothing"},
	{0xa3, 0x0a, OK, "REPORT TARGET PORT GROUPS: changes nothing"},
	{0xa3, 0x0c, OK, "REPORT SUPPORTED OPERATION CODES: changes nothing"},
	{0xa3, 0x0d, OK, "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS: changes nothing"},
	{0xa3, 0x0f, OK, "REPORT TIMESTAMP: changes nothing"},
	{0xa4, ANY, NO, "MAINTENANCE OUT: port group states may have moved on"},
	{0xa8, ANY, OK, "READ(12): changes nothing"},
	{0xaa, ANY, OK, "WRITE(12): same blocks, same data"},
	{0xae, ANY, OK, "WRITE AND VERIFY(12): same blocks, same data"},
	{0xaf, ANY, OK, "VERIFY(12): changes nothing"},
	{0xb7, ANY, OK, "READ DEFECT DATA(12): changes nothing"},
};

/* Of VARIABLE LENGTH (7Fh) the service action is 16 bits, bytes 8 and 9. */
static const struct repeat_rule rules_32[] = {
	{0x7f, 0x0009, OK, "READ(32): changes nothing"},
	{0x7f, 0x000a, OK, "VERIFY(32): changes nothing"},
	{0x7f, 0x000b, OK, "WRITE(32): same blocks, same data"},
	{0x7f, 0x000c, OK, "WRITE AND VERIFY(32): same blocks, same data"},
	{0x7f, 0x000d, OK, "WRITE SAME(32): same blocks, same data"},
};

static const struct repeat_rule unknown = {0xff, ANY, NO, "not known: it could do anything"};

const struct repeat_rule *repeat_rule(const uint8_t *cdb)
{
	int action = cdb[1] & 0x1f, action_32 = cdb[8] << 8 | cdb[9];

	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].opcode == cdb[0] && (rules[i].action == ANY || rules[i].action == action))
			return &rules[i];
	for (unsigned i = 0; i < ARRAY_SIZE(rules_32); i++)
		if (cdb[0] == 0x7f && rules_32[i].action == action_32)
			return &rules_32[i];
	return &unknown;
}

void repeat_cut_off(struct scsi_task *t, bool begun, bool descriptor)
{
	t->moved = 0;
	if (begun && repeat_rule(t->cdb)->verdict == REPEAT_NEVER)
		scsi_check(t, descriptor, KEY_UNIT_ATTENTION, ASC_NEXUS_LOSS, NULL);
	else
		scsi_end(t, SCSI_BUSY);
}
