#include "hil_paint.h"

#define STACK_SEED 0x57ACC0DEU

void hil_paint(uint8_t *bytes, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i += 4U) {
        uint32_t word = hil_paint_word(seed, (uint32_t)(i >> 2));
        for (size_t k = i; k < size && k < i + 4U; k++) {
            bytes[k] = (uint8_t)word;
            word >>= 8;
        }
    }
}

hil_marks hil_paint_marks(const uint8_t *bytes, size_t size, size_t whole, uint32_t seed)
{
    hil_marks marks = {0, 0, 0};
    for (size_t i = 0; i < whole; i += 4U) {
        uint32_t word = hil_paint_word(seed, (uint32_t)(i >> 2));
        for (size_t k = i; k < whole && k < i + 4U; k++) {
            int kept = bytes[k] == (uint8_t)word;
            word >>= 8;
            if (k >= size) {
                marks.overrun += kept ? 0U : 1U;
            } else if (kept) {
                marks.untouched++;
            } else {
                marks.high = (uint32_t)k + 1U;
            }
        }
    }
    return marks;
}

uint32_t hil_paint_end(const uint8_t *bytes, uint32_t at, uint32_t size, uint32_t seed, bool kept)
{
    while (at < size && (bytes[at] == (uint8_t)(hil_paint_word(seed, at >> 2) >> (8U * (at & 3U)))) == kept) {
        at++;
    }
    return at;
}

void hil_paint_stack(uintptr_t low, uintptr_t below)
{
    for (uintptr_t a = low; a + sizeof(uint32_t) <= below; a += sizeof(uint32_t)) {
        *(volatile uint32_t *)a = hil_paint_word(STACK_SEED, (uint32_t)(a >> 2));
    }
}

uintptr_t hil_paint_stack_lowest(uintptr_t low, uintptr_t high)
{
    uintptr_t a = low;
    while (a + sizeof(uint32_t) <= high && *(const volatile uint32_t *)a == hil_paint_word(STACK_SEED, (uint32_t)(a >> 2))) {
        a += sizeof(uint32_t);
    }
    return a;
}
