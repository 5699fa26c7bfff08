/* Keyed digests: a host that knows what bytes should be compares them without fetching them. docs/protocol.md has the
 * construction and its odds. */
#ifndef HIL_DIGEST_H
#define HIL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t word[4];
} hil_digest;

/* The digest of the bytes of tensor `number`. */
hil_digest hil_digest_of(const hil_digest *key, uint32_t number, const uint8_t *bytes, size_t size);

static inline void hil_digest_add(hil_digest *sum, const hil_digest *other)
{
    for (size_t i = 0; i < 4U; i++) {
        sum->word[i] ^= other->word[i];
    }
}

#endif
