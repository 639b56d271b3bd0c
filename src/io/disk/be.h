/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Big-endian numbers in byte arrays, wherever they lie. (libsgutils2's shift bytes as ints, which is
 * undefined for those above 127 and stops a build with sanitizers.)
 */
#ifndef VHBA_BE_H
#define VHBA_BE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t get_be24(const void *p)
{
	const uint8_t *b = p;

	return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static inline uint32_t get_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t get_be64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void put_be16(uint16_t value, void *p)
{
	value = htobe16(value);
	memcpy(p, &value, sizeof(value));
}

static inline void put_be24(uint32_t value, void *p)
{
	uint8_t *b = p;

	b[0] = (uint8_t)(value >> 16);
	b[1] = (uint8_t)(value >> 8);
	b[2] = (uint8_t)value;
}

static inline void put_be32(uint32_t value, void *p)
{
	value = htobe32(value);
	memcpy(p, &value, sizeof(value));
}

static inline void put_be64(uint64_t value, void *p)
{
	value = htobe64(value);
	memcpy(p, &value, sizeof(value));
}

#endif
