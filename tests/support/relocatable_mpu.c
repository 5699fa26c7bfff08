/* Damaged files on an emulated Cortex-M4: while the runtime has one, the MPU lets it read the code and the files, and
 * write the arena and the stack, which holds the instance. Anything else ends the program with exit code 99.
 *
 * The files come from the emulator, which loads them to external memory: their number, then for each the bytes of the
 * file and of its weights, whether it has any, and both, filled up to words. */
#include "relocatable_try.h"

#include <stdio.h>

#ifndef SABOTAGE
#define SABOTAGE 0 /* 1 reads behind the file, 2 writes into it, 3 writes to memory of the program */
#endif

#define FILES ((const uint8_t *)0x21000000)
#define MPU ((volatile uint32_t *)0xE000ED90)

enum { WINDOW_MAX = 0x4000, ARENA_MAX = 0x2000, STACK = 0x8000, READ_ONLY = 5, READ_WRITE = 1 };
enum { REGION_CODE, REGION_FILE, REGION_WEIGHTS, REGION_ARENA, REGION_STACK };

extern uint32_t stack_end[];

static _Alignas(WINDOW_MAX) uint8_t file_window[WINDOW_MAX];
static _Alignas(WINDOW_MAX) uint8_t weights_window[WINDOW_MAX];
static _Alignas(WINDOW_MAX) uint8_t arena_window[WINDOW_MAX];
static uint32_t elsewhere;

static void region(uint32_t number, uint32_t base, uint32_t log2_of_size, uint32_t access, uint32_t closed)
{
    MPU[2] = number;
    MPU[3] = base;
    MPU[4] = access << 24 | 1U << 19 | 1U << 17 | closed << 8 | (log2_of_size - 1U) << 1 | 1U;
}

/* Opens `bytes` of a window, at its end (to a word, or to 16 bytes) or at its start, to an eighth of the next power of
 * two at the other side; returns where they begin. */
static uint8_t *open(uint32_t number, uint8_t *window, uint32_t bytes, uint32_t access, uint32_t placed)
{
    uint32_t log2_of_size = 8;
    while (1U << log2_of_size < bytes + 16U) {
        log2_of_size++;
    }
    const uint32_t size = 1U << log2_of_size;
    const uint32_t align = placed == 0U ? 4U : 16U;
    const uint32_t start = placed == 2U ? 0U : (size - bytes) & ~(align - 1U);
    uint32_t closed = 0;
    for (uint32_t part = 0; part < 8U; part++) {
        const uint32_t from = part * size / 8U;
        if (from + size / 8U <= start || from >= start + bytes) {
            closed |= 1U << part;
        }
    }
    region(number, (uint32_t)(uintptr_t)window, log2_of_size, access, closed);
    return window + start;
}

static uint32_t word_at(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static void guard(uint32_t on)
{
    MPU[1] = on; /* without the default map */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void sabotage(uint8_t *file, uint32_t bytes)
{
    if (SABOTAGE == 1) {
        (void)*(volatile uint8_t *)(file + ((bytes + 15U) & ~15U));
    } else if (SABOTAGE == 2) {
        *(volatile uint8_t *)file = 0;
    } else if (SABOTAGE == 3) {
        *(volatile uint32_t *)&elsewhere = 1;
    }
}

int main(void)
{
    const uint32_t count = word_at(FILES);
    const uint8_t *at = FILES + 4;
    uint32_t installed = 0;
    uint32_t described = 0;
    uint32_t sum = 0;
    region(REGION_CODE, 0, 19, READ_ONLY, 0);
    region(REGION_STACK, (uint32_t)(uintptr_t)stack_end - STACK, 15, READ_WRITE, 0);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t bytes = word_at(at);
        const uint32_t weights_bytes = word_at(at + 4);
        const uint32_t has_weights = word_at(at + 8);
        const uint32_t placed = i % 3U;
        uint8_t *file = open(REGION_FILE, file_window, bytes, READ_ONLY, placed);
        uint8_t *weights = open(REGION_WEIGHTS, weights_window, weights_bytes, READ_ONLY, placed == 0U ? 1U : placed);
        at += 12;
        memcpy(file, at, bytes);
        at += (bytes + 3U) & ~3U;
        memcpy(weights, at, weights_bytes);
        at += (weights_bytes + 3U) & ~3U;
        const tinyhil_reloc_files files = {file, bytes, has_weights != 0U ? weights : NULL, weights_bytes};
        const uint32_t said = bytes >= 44U ? word_at(file + 40) : 0U;
        const uint32_t arena_bytes = said <= ARENA_MAX ? said : 16U;
        uint8_t *arena = open(REGION_ARENA, arena_window, arena_bytes, READ_WRITE, placed == 0U ? 1U : placed);
        tinyhil_reloc model;
        guard(1);
        sabotage(file, bytes);
        const tried t = try_file(&files, arena, arena_bytes, &model, &sum);
        guard(0);
        described += t.described == TINYHIL_RELOC_OK;
        installed += t.installed == TINYHIL_RELOC_OK;
        if (i % 100U == 99U) {
            printf("%u\n", (unsigned)(i + 1U));
        }
    }
    printf("%u tried, %u described, %u installed\n", (unsigned)count, (unsigned)described, (unsigned)installed);
    return 0;
}
