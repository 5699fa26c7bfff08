/* Paint: a pattern that depends on seed and position, so that a constant written by a model does not look like paint. */
#ifndef HIL_PAINT_H
#define HIL_PAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The pattern of word `index`. Seeds that differ only in bit 31 give complementary words: no byte equals both. */
static inline uint32_t hil_paint_word(uint32_t seed, uint32_t index)
{
    uint32_t x = (seed & 0x7FFFFFFFU) + index * 0x9E3779B9U;
    x ^= x >> 16;
    x *= 0x7FEB352DU;
    x ^= x >> 15;
    x *= 0x846CA68BU;
    x ^= x >> 16;
    return (seed & 0x80000000U) != 0U ? ~x : x;
}

typedef struct {
    uint32_t high;      /* highest byte that lost its paint, + 1 */
    uint32_t untouched; /* bytes below `size` that still show paint */
    uint32_t overrun;   /* bytes from `size` to `whole` that lost their paint */
} hil_marks;

void hil_paint(uint8_t *bytes, size_t size, uint32_t seed);
hil_marks hil_paint_marks(const uint8_t *bytes, size_t size, size_t whole, uint32_t seed);

/* The end of the stretch of bytes from `at` on that all kept their paint, or that all lost it; at most `size`. */
uint32_t hil_paint_end(const uint8_t *bytes, uint32_t at, uint32_t size, uint32_t seed, bool kept);

/* The stack, whose word at address a holds the paint of a / 4. `below` is an address above which nothing is painted. */
void hil_paint_stack(uintptr_t low, uintptr_t below);
uintptr_t hil_paint_stack_lowest(uintptr_t low, uintptr_t high);

#endif
