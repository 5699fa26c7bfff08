/* Runs one relocatable model at three addresses: flash aligned to 16, flash at 4 mod 8, and RAM. Prints the outputs' bytes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tinyhil_relocatable_format.h"

extern const uint8_t blob_aligned[], blob_odd[], weights[], inputs[];
extern uint32_t blob_bytes;
static _Alignas(16) uint8_t in_ram[RAM_BYTES];
static _Alignas(16) uint8_t arena[ARENA_BYTES];
static uint32_t context[TINYHIL_RELOC_CONTEXT_MAX / 4];

static int run(const uint8_t *blob)
{
    const tinyhil_reloc_header *h = (const void *)blob;
    const tinyhil_reloc_tensor *t = (const void *)(blob + h->tensors_offset);
    const tinyhil_reloc_init_entry init = (tinyhil_reloc_init_entry)(uintptr_t)(blob + h->init_offset + 1);
    const tinyhil_reloc_invoke_entry invoke = (tinyhil_reloc_invoke_entry)(uintptr_t)(blob + h->invoke_offset + 1);
    memset(arena, 0xA5, sizeof arena);
    if (h->magic != TINYHIL_RELOC_MAGIC || (uintptr_t)blob % h->align != 0 || h->arena_bytes > sizeof arena) {
        return 10;
    }
    if (init(context, arena, sizeof arena, h->flags & TINYHIL_RELOC_WEIGHTS_APART ? weights : NULL) != 0) {
        return 11;
    }
    const uint8_t *from = inputs;
    for (uint32_t i = 0; i < h->input_count; from += t[i].bytes, ++i) {
        memcpy(arena + t[i].arena_offset, from, t[i].bytes);
    }
    if (invoke(context, NULL, NULL) != 0) {
        return 12;
    }
    for (uint32_t i = h->input_count; i < (uint32_t)h->input_count + h->output_count; ++i) {
        for (uint32_t byte = 0; byte < t[i].bytes; ++byte) {
            printf("%02x", arena[t[i].arena_offset + byte]);
        }
    }
    printf("\n");
    return 0;
}

int main(void)
{
    memcpy(in_ram + 4, blob_aligned, blob_bytes);
    __asm__ volatile("dsb\nisb" ::: "memory");
    const uint8_t *const places[] = {blob_aligned, blob_odd, in_ram + 4};
    for (uint32_t i = 0; i < 3; ++i) {
        const int failed = run(places[i]);
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}
