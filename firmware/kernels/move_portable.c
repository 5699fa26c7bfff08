#include "move_portable.h"

#include <string.h>

enum { WORD = 4, BLOCK = 16, STEP = 2 * BLOCK };

HIL_INLINE void move_word(const uint8_t *from, uint8_t *to)
{
    uint32_t word;
    memcpy(&word, from, WORD);
    memcpy(to, &word, WORD);
}

/* Both at words and a block or more apart: compilers load and store four words by an instruction each. */
HIL_INLINE void move_block(const uint8_t *from, uint8_t *to)
{
    memcpy(HIL_AT_WORD(to), HIL_AT_WORD(from), BLOCK);
}

/* Bytes from the beginning that move by blocks. */
HIL_INLINE int32_t in_blocks(const uint8_t *input, const uint8_t *output, int32_t bytes)
{
    const uintptr_t from = (uintptr_t)input;
    const uintptr_t to = (uintptr_t)output;
    const uintptr_t apart = from > to ? from - to : to - from;
    return (from | to) % WORD == 0 && apart >= BLOCK ? bytes / STEP * STEP : 0;
}

/* From the end that lies over the other first: what is written has been read. Places need not begin at words. */
HIL_SHARED void move_portable(const uint8_t *input, uint8_t *output, const move_portable_shape *s)
{
    const int32_t bytes = s->bytes;
    const int32_t blocks = in_blocks(input, output, bytes);
    const int32_t words = blocks + (bytes - blocks) / WORD * WORD;
    if ((uintptr_t)output <= (uintptr_t)input) {
        int32_t i = 0;
        for (; i < blocks; i += STEP) {
            move_block(input + i, output + i);
            move_block(input + i + BLOCK, output + i + BLOCK);
        }
        for (; i < words; i += WORD) {
            move_word(input + i, output + i);
        }
        for (; i < bytes; ++i) {
            output[i] = input[i];
        }
    } else {
        int32_t i = bytes;
        for (; i > words; --i) {
            output[i - 1] = input[i - 1];
        }
        for (; i > blocks; i -= WORD) {
            move_word(input + i - WORD, output + i - WORD);
        }
        for (; i > 0; i -= STEP) {
            move_block(input + i - BLOCK, output + i - BLOCK);
            move_block(input + i - STEP, output + i - STEP);
        }
    }
}
