#include "tinyhil_hash.h"

static const uint32_t crc_table[16] = {
    0x00000000U, 0x1DB71064U, 0x3B6E20C8U, 0x26D930ACU, 0x76DC4190U, 0x6B6B51F4U, 0x4DB26158U, 0x5005713CU,
    0xEDB88320U, 0xF00F9344U, 0xD6D6A3E8U, 0xCB61B38CU, 0x9B64C2B0U, 0x86D3D2D4U, 0xA00AE278U, 0xBDBDF21CU,
};

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
    crc = ~crc;
    for (uint32_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ crc_table[crc & 15U];
        crc = (crc >> 4) ^ crc_table[crc & 15U];
    }
    return ~crc;
}

static inline uint32_t rotate(uint32_t x, uint32_t bits)
{
    return (x >> bits) | (x << (32U - bits));
}

/* One block: `w` holds the last 16 words of the message schedule. */
static void compress(uint32_t state[8], uint32_t w[16])
{
    uint32_t v[8];
    for (uint32_t i = 0; i < 8U; i++) {
        v[i] = state[i];
    }
    for (uint32_t t = 0; t < 64U; t++) {
        if (t >= 16U) {
            const uint32_t early = w[(t + 1U) & 15U];
            const uint32_t late = w[(t + 14U) & 15U];
            const uint32_t s0 = rotate(early, 7U) ^ rotate(early, 18U) ^ (early >> 3);
            const uint32_t s1 = rotate(late, 17U) ^ rotate(late, 19U) ^ (late >> 10);
            w[t & 15U] += s0 + w[(t + 9U) & 15U] + s1;
        }
        const uint32_t choice = v[6] ^ (v[4] & (v[5] ^ v[6]));
        const uint32_t majority = (v[0] & v[1]) | (v[2] & (v[0] | v[1]));
        const uint32_t sum1 = rotate(v[4], 6U) ^ rotate(v[4], 11U) ^ rotate(v[4], 25U);
        const uint32_t sum0 = rotate(v[0], 2U) ^ rotate(v[0], 13U) ^ rotate(v[0], 22U);
        const uint32_t first = v[7] + sum1 + choice + round_constants[t] + w[t & 15U];
        for (uint32_t i = 7U; i > 0U; i--) {
            v[i] = v[i - 1U];
        }
        v[4] += first;
        v[0] = first + sum0 + majority;
    }
    for (uint32_t i = 0; i < 8U; i++) {
        state[i] += v[i];
    }
}

/* The byte at `at` of the padded message: a one, zeros, and the number of bits in the last eight bytes. */
static uint32_t padded(const uint8_t *bytes, uint32_t size, uint32_t at)
{
    if (at < size) {
        return bytes[at];
    }
    return at == size ? 0x80U : 0U;
}

void tinyhil_sha256(const uint8_t *bytes, uint32_t size, uint32_t words[8])
{
    static const uint32_t start[8] = {
        0x6A09E667U, 0xBB67AE85U, 0x3C6EF372U, 0xA54FF53AU, 0x510E527FU, 0x9B05688CU, 0x1F83D9ABU, 0x5BE0CD19U,
    };
    uint32_t w[16];
    for (uint32_t i = 0; i < 8U; i++) {
        words[i] = start[i];
    }
    const uint32_t blocks = size / 64U + (size % 64U < 56U ? 1U : 2U);
    for (uint32_t block = 0; block < blocks; block++) {
        for (uint32_t i = 0; i < 16U; i++) {
            uint32_t word = 0;
            for (uint32_t at = block * 64U + i * 4U, end = at + 4U; at != end; at++) {
                word = (word << 8) | padded(bytes, size, at);
            }
            w[i] = word;
        }
        if (block + 1U == blocks) {
            w[14] = size >> 29;
            w[15] = size << 3;
        }
        compress(words, w);
    }
}
