/* CRC-32 and SHA-256, small rather than fast. */
#ifndef TINYHIL_HASH_H
#define TINYHIL_HASH_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* CRC-32 of IEEE 802.3 as zlib has it: `crc` is 0, or that of the bytes before. */
uint32_t tinyhil_crc32(uint32_t crc, const uint8_t *bytes, uint32_t size);

/* FIPS 180-4, of less than 2^29 bytes; the digest is 32 bytes. Takes 700 bytes of stack. */
void tinyhil_sha256(const uint8_t *bytes, uint32_t size, uint32_t digest[8]);

#ifdef __cplusplus
}
#endif

#endif
