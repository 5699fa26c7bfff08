/* One damaged file through the runtime: what it says is used as far as the runtime says that it may be. */
#ifndef RELOCATABLE_TRY_H
#define RELOCATABLE_TRY_H

#include "tinyhil_relocatable.h"

#include <string.h>

enum { TRY_NOT_INSTALLED = 0, TRY_INSTALLED = 1 };

typedef struct {
    tinyhil_reloc_status described;
    tinyhil_reloc_status checked[3];
    tinyhil_reloc_status installed;
} tried;

static uint32_t length(const char *text)
{
    uint32_t n = 0;
    while (text[n] != '\0') {
        n++;
    }
    return n;
}

/* Reads all that a header points to, and writes all of the arena that it names. */
static uint32_t use(const tinyhil_reloc_header *h, uint8_t *arena)
{
    const tinyhil_reloc_tensor *tensors = tinyhil_reloc_tensors(h);
    const tinyhil_reloc_layer *layers = tinyhil_reloc_table(h, h->layers_offset);
    const tinyhil_reloc_region *regions = tinyhil_reloc_table(h, h->regions_offset);
    uint32_t sum = length(h->name) + length(h->version);
    const uint8_t *code = tinyhil_reloc_table(h, h->code_offset);
    for (uint32_t i = 0; i < h->code_bytes; i++) {
        sum += code[i];
    }
    sum += code[h->init_offset - h->code_offset + 1U] + code[h->invoke_offset - h->code_offset + 1U];
    for (uint32_t i = 0; i < (uint32_t)h->input_count + h->output_count; i++) {
        const tinyhil_reloc_tensor *t = &tensors[i];
        uint32_t elements = 1;
        sum += length(t->name);
        for (uint32_t axis = 0; axis < t->rank; axis++) {
            elements *= t->shape[axis];
        }
        memset(arena + t->arena_offset, 0x5A, elements);
        memset(arena + t->arena_offset, 0xA5, t->bytes);
    }
    for (uint32_t i = 0; i < h->layer_count; i++) {
        for (uint32_t k = 0; k < layers[i]; k++, regions++) {
            memset(arena + regions->offset, 0x3C, regions->bytes);
        }
    }
    return sum;
}

static bool agree(void *user, const tinyhil_reloc_files *files)
{
    uint32_t *sum = user;
    *sum += files->blob[files->blob_bytes - 1U];
    if (files->weights != NULL) {
        *sum += files->weights[files->weights_bytes - 1U];
    }
    return true;
}

static void sync_nothing(void *user, const uint8_t *start, uint32_t bytes)
{
    (void)user;
    (void)start;
    (void)bytes;
}

/* `arena` has as many bytes as the header says, if it was described, and is not used before. */
static tried try_file(
    const tinyhil_reloc_files *files, uint8_t *arena, uint32_t arena_bytes, tinyhil_reloc *model, uint32_t *sum)
{
    const tinyhil_reloc_host host = {
        TINYHIL_RELOC_CORTEX_M4, TINYHIL_RELOC_DSP | TINYHIL_RELOC_FPU_SINGLE, agree, sync_nothing, sum};
    const tinyhil_reloc_header *h = NULL;
    tried t;
    t.described = tinyhil_reloc_describe(files, &h);
    if (h != NULL && arena_bytes >= h->arena_bytes) {
        *sum += use(h, arena);
    }
    for (int depth = TINYHIL_RELOC_BOUNDS; depth <= TINYHIL_RELOC_SHA256; depth++) {
        t.checked[depth] = tinyhil_reloc_check(&host, files, (tinyhil_reloc_depth)depth);
    }
    memset(model, 0xFF, sizeof *model);
    t.installed = tinyhil_reloc_install(model, &host, files, arena, arena_bytes);
    if (t.installed == TINYHIL_RELOC_OK) {
        *sum += use(model->header, model->arena);
        model->ready = true; /* as if its init had been called */
        for (uint32_t i = 0; i < model->header->input_count; i++) {
            memset(tinyhil_reloc_input(model, i), 1, tinyhil_reloc_tensors(model->header)[i].bytes);
        }
        for (uint32_t i = 0; i < model->header->output_count; i++) {
            const uint8_t *output = tinyhil_reloc_output(model, i);
            const uint32_t bytes = tinyhil_reloc_tensors(model->header)[model->header->input_count + i].bytes;
            *sum += bytes == 0U ? 0U : output[0] + (uint32_t)output[bytes - 1U];
        }
        *sum += tinyhil_reloc_input(model, model->header->input_count) != NULL;
        *sum += tinyhil_reloc_output(model, model->header->output_count) != NULL;
    }
    tinyhil_reloc_deinit(model);
    return t;
}

#endif
