/* Reads files from standard input, each into memory of exactly its size, and prints what the runtime says of each. */
#define _POSIX_C_SOURCE 200112L

#include "relocatable_try.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 1 << 20 };

static uint8_t *room(uint32_t bytes)
{
    void *at = NULL;
    if (posix_memalign(&at, 256, bytes) != 0) {
        abort();
    }
    return at;
}

static uint8_t *taken(uint32_t bytes)
{
    uint8_t *at = room(bytes);
    if (fread(at, 1, bytes, stdin) != bytes) {
        abort();
    }
    return at;
}

int main(void)
{
    uint32_t head[3]; /* bytes of the file and of the weights; whether there are weights */
    uint32_t sum = 0;
    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint8_t *blob = taken(head[0]);
        uint8_t *weights = head[2] != 0U ? taken(head[1]) : NULL;
        const tinyhil_reloc_files files = {blob, head[0], weights, head[1]};
        const tinyhil_reloc_header *h;
        (void)tinyhil_reloc_describe(&files, &h);
        const uint32_t arena_bytes = h != NULL && h->arena_bytes <= ARENA_MAX ? h->arena_bytes : 16U;
        uint8_t *arena = room(arena_bytes);
        tinyhil_reloc *model = malloc(sizeof *model);
        const tried t = try_file(&files, arena, arena_bytes, model, &sum);
        printf("%d %d %d %d %d\n", t.described, t.checked[0], t.checked[1], t.checked[2], t.installed);
        free(model);
        free(arena);
        free(weights);
        free(blob);
    }
    return sum == 1U; /* so that what was read is used */
}
