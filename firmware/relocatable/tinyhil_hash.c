#include "tinyhil_hash.h"

static const uint32_t round_constants[64] = {
    0x428A2F98U, 0x71374491U, 0xB5C0FBCFU, 0xE9B5DBA5U, 0x3956C25BU, 0x59F111F1U, 0x923F82A4U, 0xAB1C5ED5U,
    0xD807AA98U, 0x12835B01U, 0x243185BEU, 0x550C7DC3U, 0x72BE5D74U, 0x80DEB1FEU, 0x9BDC06A7U, 0xC19BF174U,
    0xE49B69C1U, 0xEFBE4786U, 0x0FC19DC6U, 0x240CA1CCU, 0x2DE92C6FU, 0x4A7484AAU, 0x5CB0A9DCU, 0x76F988DAU,
    0x983E5152U, 0xA831C66DU, 0xB00327C8U, 0xBF597FC7U, 0xC6E00BF3U, 0xD5A79147U, 0x06CA6351U, 0x14292967U,
    0x27B70A85U, 0x2E1B2138U, 0x4D2C6DFCU, 0x53380D13U, 0x650A7354U, 0x766A0ABBU, 0x81C2C92EU, 0x92722C85U,
    0xA2BFE8A1U, 0xA81A664BU, 0xC24B8B70U, 0xC76C51A3U, 0xD192E819U, 0xD6990624U, 0xF40E3585U, 0x106AA070U,
    0x19A4C116U, 0x1E376C08U, 0x2748774CU, 0x34B0BCB5U, 0x391C0CB3U, 0x4ED8AA4AU, 0x5B9CCA4FU, 0x682E6FF3U,
    0x748F82EEU, 0x78A5636FU, 0x84C87814U, 0x8CC70208U, 0x90BEFFFAU, 0xA4506CEBU, 0xBEF9A3F7U, 0xC67178F2U,
};

uint32_t tinyhil_crc32(uint32_t crc, const uint8_t *bytes, uint32_t size)
{
    static const uint32_t of_two_bits[4] = {0x00000000U, 0x76DC4190U, 0xEDB88320U, 0x9B64C2B0U};
    crc = ~crc;
    for (uint32_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (uint32_t k = 0; k < 4U; k++) {
            crc = (crc >> 2) ^ of_two_bits[crc & 3U];
        }
    }
    return ~crc;
}

static inline uint32_t rotate(uint32_t x, uint32_t bits)
{
    return (x >> bits) | (x << (32U - bits));
}

#define WORDS_OF_BLOCK 16U
#define ROUNDS 64U

/* One block: w[0] to w[15], with room for the rest of the schedule. Schedule and working words are windows that move by
 * a word a round, up and down, so that no word has to. */
static void compress(uint32_t state[8], uint32_t *w)
{
    uint32_t working[ROUNDS + 8U];
    uint32_t *v = &working[ROUNDS];
    for (uint32_t i = 0; i < 8U; i++) {
        v[i] = state[i];
    }
    for (uint32_t t = 0; t < ROUNDS; t++) {
        const uint32_t sum1 = rotate(rotate(rotate(v[4], 14U) ^ v[4], 5U) ^ v[4], 6U);  /* by 25, 11, 6 */
        const uint32_t sum0 = rotate(rotate(rotate(v[0], 9U) ^ v[0], 11U) ^ v[0], 2U);  /* by 22, 13, 2 */
        const uint32_t s0 = rotate(rotate(w[1], 11U) ^ w[1], 7U) ^ (w[1] >> 3);         /* by 18, 7 */
        const uint32_t s1 = rotate(rotate(w[14], 2U) ^ w[14], 17U) ^ (w[14] >> 10);     /* by 19, 17 */
        const uint32_t choice = v[6] ^ (v[4] & (v[5] ^ v[6]));
        const uint32_t majority = (v[0] & v[1]) | (v[2] & (v[0] | v[1]));
        const uint32_t first = v[7] + sum1 + choice + round_constants[t] + w[0];
        w[16] = w[0] + s0 + w[9] + s1;
        w++;
        v--;
        v[4] += first;
        v[0] = first + sum0 + majority;
    }
    for (uint32_t i = 0; i < 8U; i++) {
        state[i] += v[i];
    }
}

void tinyhil_sha256(const uint8_t *bytes, uint32_t size, uint32_t digest[8])
{
    static const uint32_t start[8] = {
        0x6A09E667U, 0xBB67AE85U, 0x3C6EF372U, 0xA54FF53AU, 0x510E527FU, 0x9B05688CU, 0x1F83D9ABU, 0x5BE0CD19U,
    };
    uint32_t w[WORDS_OF_BLOCK + ROUNDS] = {0};
    for (uint32_t i = 0; i < 8U; i++) {
        digest[i] = start[i];
    }
    /* The bytes, a one, zeros up to the last eight bytes of a block, and there the number of bits. */
    const uint32_t end = (size + 8U) | 63U;
    for (uint32_t at = 0; at <= end; at++) {
        const uint32_t byte = at < size ? bytes[at] : at == size ? 0x80U : 0U;
        uint32_t *word = &w[at / 4U % WORDS_OF_BLOCK];
        *word = *word << 8 | byte;
        if (at % 64U == 63U) {
            if (at == end) {
                w[15] = size << 3;
            }
            compress(digest, w);
        }
    }
    for (uint32_t i = 0; i < 8U; i++) {
        digest[i] = __builtin_bswap32(digest[i]);
    }
}
