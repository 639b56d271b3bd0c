/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* INQUIRY and its vital product data (SPC-4 6.4, 7.8; SBC-3 6.5). */
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "scsi_private.h"

#define STANDARD_LEN 96
#define NO_DEVICE 0x7f /* no peripheral device here, none can be */
#define NAA_LEN 8

static const char vendor[] = "VHBALAB ";
static const char product[] = "LUN             ";
static const char revision[] = "0100";

static void serial_of(const struct lun_store *lun, char text[2 * LUN_NAA_LEN + 1])
{
	for (int i = 0; i < LUN_NAA_LEN; i++)
		sprintf(text + 2 * i, "%02x", lun_store_naa(lun)[i]);
}

static void standard(struct scsi_command *c, size_t allocation)
{
	uint8_t *p = scsi_data_in(c, STANDARD_LEN, allocation);

	if (!p)
		return;
	p[0] = c->lun ? 0 : NO_DEVICE;
	p[2] = 6; /* SPC-4 */
	p[3] = 0x12; /* hierarchical addressing, response format 2 */
	p[4] = STANDARD_LEN - 5;
	p[5] = c->lun && lun_is_asymmetric(c->lun) ? 0x10 : 0; /* TPGS: implicit */
	p[6] = c->lun && lun_ports(c->lun) > 1 ? 0x10 : 0; /* MULTIP */
	p[7] = 0x02; /* command queuing */
	memcpy(p + 8, vendor, 8);
	memcpy(p + 16, product, 16);
	memcpy(p + 32, revision, 4);
	put_be16(p + 58, 0x00a0); /* SAM-5 */
	put_be16(p + 60, 0x0460); /* SPC-4 */
	put_be16(p + 62, 0x04c0); /* SBC-3 */
	put_be16(p + 64, 0x0a40); /* FCP-4 */
}

static size_t designator(uint8_t *p, uint8_t code_set, uint8_t association_type, const void *value,
			 size_t len)
{
	p[0] = code_set; /* of Fibre Channel: protocol identifier 0 */
	p[1] = association_type;
	p[3] = (uint8_t)len;
	memcpy(p + 4, value, len);
	return 4 + len;
}

static size_t page_supported(const struct scsi_command *c, uint8_t *p)
{
	static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xb0, 0xb2};

	(void)c;
	memcpy(p, pages, sizeof(pages));
	return sizeof(pages);
}

static size_t page_serial(const struct scsi_command *c, uint8_t *p)
{
	char serial[2 * LUN_NAA_LEN + 1];

	serial_of(c->lun, serial);
	memcpy(p, serial, 2 * LUN_NAA_LEN);
	return 2 * LUN_NAA_LEN;
}

static size_t page_identification(const struct scsi_command *c, uint8_t *p)
{
	char t10[8 + 2 * LUN_NAA_LEN + 1];
	uint8_t name[NAA_LEN], port[4] = {0};
	size_t n;

	memcpy(t10, vendor, 8);
	serial_of(c->lun, t10 + 8);
	n = designator(p, 1, 0x03, lun_store_naa(c->lun), LUN_NAA_LEN);
	n += designator(p + n, 2, 0x01, t10, sizeof(t10) - 1);
	put_be64(name, c->nexus.target);
	n += designator(p + n, 1, 0x93, name, NAA_LEN); /* of the target port; PIV */
	put_be16(port + 2, lun_port_id(c->lun, c->nexus.target));
	n += designator(p + n, 1, 0x94, port, sizeof(port));
	if (lun_is_asymmetric(c->lun))
		n += designator(p + n, 1, 0x95, port, sizeof(port)); /* its target port group */
	put_be64(name, c->target_wwnn);
	n += designator(p + n, 1, 0xa3, name, NAA_LEN); /* of the target device */
	return n;
}

static size_t page_block_limits(const struct scsi_command *c, uint8_t *p)
{
	uint32_t most = SCSI_DATA_MAX / lun_store_block_size(c->lun);

	p[1] = most / 2 > 255 ? 255 : (uint8_t)(most / 2); /* COMPARE AND WRITE, blocks */
	put_be16(p + 2, 1); /* optimal granularity */
	put_be32(p + 4, most); /* transfer length */
	put_be32(p + 8, most / 16); /* optimal transfer length */
	put_be32(p + 16, SCSI_UNMAP_BLOCKS_MAX); /* UNMAP, blocks */
	put_be32(p + 20, SCSI_UNMAP_DESCRIPTORS_MAX); /* UNMAP, descriptors */
	put_be32(p + 24, 1); /* optimal UNMAP granularity */
	put_be64(p + 32, SCSI_SAME_BLOCKS_MAX); /* WRITE SAME, blocks */
	return 60;
}

static size_t page_provisioning(const struct scsi_command *c, uint8_t *p)
{
	(void)c;
	p[1] = 0xe4; /* UNMAP, WRITE SAME (16) and (10) unmap; what is unmapped reads as zeros */
	p[2] = 0x02; /* thin */
	return 4;
}

static const struct {
	uint8_t code;
	size_t (*fill)(const struct scsi_command *c, uint8_t *p);
} pages[] = {
	{0x00, page_supported},	   {0x80, page_serial},	      {0x83, page_identification},
	{0xb0, page_block_limits}, {0xb2, page_provisioning},
};

static void vital_product_data(struct scsi_command *c, size_t allocation)
{
	uint8_t *p;
	size_t n;

	for (size_t i = 0; c->lun && i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (pages[i].code != c->cdb[2])
			continue;
		p = scsi_data_in(c, 256, allocation);
		if (!p)
			return;
		n = pages[i].fill(c, p + 4);
		p[1] = pages[i].code;
		put_be16(p + 2, (uint16_t)n);
		c->data_in_len = 4 + n < allocation ? 4 + n : allocation;
		return;
	}
	scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
}

void scsi_inquiry(struct scsi_command *c)
{
	size_t allocation = get_be16(c->cdb + 3);

	if (c->cdb[1] & 0x01)
		vital_product_data(c, allocation);
	else if (c->cdb[2])
		scsi_refuse(c, ASC_INVALID_FIELD_IN_CDB);
	else
		standard(c, allocation);
}
