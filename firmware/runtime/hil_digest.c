#include "hil_digest.h"

#include <string.h>

#define ROUNDS 8U
#define BLOCK sizeof(hil_digest)
/* Bytes that are chained; such chunks do not depend on each other, which lets the host compute many at once. */
#define CHUNK 256U

static inline uint32_t rotate(uint32_t x, uint32_t bits)
{
    return (x << bits) | (x >> (32U - bits));
}

/* The permutation of Chaskey (Mouha and others, 2014), made for cores of 32 bits: no table and no multiplication. */
static inline hil_digest permuted(hil_digest state)
{
    uint32_t v0 = state.word[0];
    uint32_t v1 = state.word[1];
    uint32_t v2 = state.word[2];
    uint32_t v3 = state.word[3];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        v0 += v1;
        v2 += v3;
        v1 = rotate(v1, 5U) ^ v0;
        v3 = rotate(v3, 8U) ^ v2;
        v0 = rotate(v0, 16U) + v3;
        v2 += v1;
        v3 = rotate(v3, 13U) ^ v0;
        v1 = rotate(v1, 7U) ^ v2;
        v2 = rotate(v2, 16U);
    }
    return (hil_digest){{v0, v1, v2, v3}};
}

/* A first block that tells what the chunk is, then its bytes, the last block filled up with zeros. */
static hil_digest of_chunk(const hil_digest *key, const hil_digest *what, const uint8_t *bytes, size_t size)
{
    hil_digest state = *key;
    hil_digest block;
    hil_digest_add(&state, what);
    state = permuted(state);
    for (; size >= BLOCK; size -= BLOCK) {
        memcpy(&block, bytes, BLOCK);
        hil_digest_add(&state, &block);
        state = permuted(state);
        bytes += BLOCK;
    }
    if (size > 0U) {
        memset(&block, 0, BLOCK);
        memcpy(&block, bytes, size);
        hil_digest_add(&state, &block);
        state = permuted(state);
    }
    hil_digest_add(&state, key);
    return state;
}

hil_digest hil_digest_of(const hil_digest *key, uint32_t number, const uint8_t *bytes, size_t size)
{
    hil_digest sum = {{0, 0, 0, 0}};
    for (size_t at = 0; at < size; at += CHUNK) {
        size_t left = size - at;
        size_t count = left < CHUNK ? left : CHUNK;
        hil_digest what = {{number, (uint32_t)(at / CHUNK), (uint32_t)count, 0}};
        hil_digest chunk = of_chunk(key, &what, bytes + at, count);
        hil_digest_add(&sum, &chunk);
    }
    return sum;
}
