/* Two models, and one of them twice, in flash and in RAM: installed together, run in turns; then what is refused. */
#include "tinyhil_relocatable.h"

#include <stdio.h>
#include <string.h>

extern const uint8_t first_blob[], first_weights[], second_blob[], first_inputs[], second_inputs[];
extern const uint32_t first_bytes, first_weights_bytes, second_bytes;

static _Alignas(16) uint8_t in_ram[RAM_BYTES];
static _Alignas(16) uint8_t arenas[3][ARENA_BYTES];
static tinyhil_reloc models[3];
static uint32_t verified;
static uint32_t observed;

static bool verify(void *user, const tinyhil_reloc_files *files)
{
    verified++;
    return user == &models[0] && files->blob != NULL;
}

static void observe(void *user, uint32_t layer, uint32_t phase)
{
    (void)layer;
    *(uint32_t *)user += phase;
}

static int infer(tinyhil_reloc *model, const uint8_t *inputs, const char *name)
{
    const tinyhil_reloc_tensor *t = tinyhil_reloc_tensors(model->header);
    for (uint32_t i = 0; i < model->header->input_count; inputs += t[i].bytes, i++) {
        memcpy(tinyhil_reloc_input(model, i), inputs, t[i].bytes);
    }
    const int32_t status = tinyhil_reloc_invoke(model, observe, &observed);
    printf("%s ", name);
    t += model->header->input_count;
    for (uint32_t i = 0; i < model->header->output_count; i++) {
        const uint8_t *output = tinyhil_reloc_output(model, i);
        for (uint32_t byte = 0; byte < t[i].bytes; byte++) {
            printf("%02x", output[byte]);
        }
    }
    printf("\n");
    return status;
}

static uint32_t bytes_of_inputs(const tinyhil_reloc *model)
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < model->header->input_count; i++) {
        bytes += tinyhil_reloc_tensors(model->header)[i].bytes;
    }
    return bytes;
}

/* Each refusal, by its status. */
static void refuse(tinyhil_reloc_host host, tinyhil_reloc_files files)
{
    tinyhil_reloc m;
    const tinyhil_reloc_header *h = NULL;
    (void)tinyhil_reloc_describe(&files, &h);
    (void)tinyhil_reloc_install(&m, &host, &files, arenas[0], sizeof arenas[0]);
    printf("refused %d", tinyhil_reloc_input(&m, 0) != NULL);
    (void)tinyhil_reloc_deinit(&m);
    printf(" %d %d", (int)tinyhil_reloc_init(&m), (int)tinyhil_reloc_invoke(&m, NULL, NULL));
    printf(" %d", tinyhil_reloc_install(&m, &host, &files, arenas[0], h->arena_bytes - 1U));
    printf(" %d", tinyhil_reloc_install(&m, &host, &files, arenas[0] + 2, h->arena_bytes));
    host.user = NULL;
    printf(" %d", tinyhil_reloc_install(&m, &host, &files, arenas[0], sizeof arenas[0]));
    host.core++;
    printf(" %d", tinyhil_reloc_check(&host, &files, TINYHIL_RELOC_BOUNDS));
    files.blob_bytes = h->total_bytes - 1U;
    printf(" %d\n", tinyhil_reloc_check(&host, &files, TINYHIL_RELOC_BOUNDS));
}

int main(void)
{
    tinyhil_reloc_host host;
    tinyhil_reloc_this_core(&host);
    host.verify = verify;
    host.user = &models[0];
    memcpy(in_ram + 4, first_blob, first_bytes);
    const uint8_t *weights = first_weights_bytes != 0U ? first_weights : NULL;
    const tinyhil_reloc_files files[3] = {
        {first_blob, first_bytes, weights, first_weights_bytes},
        {second_blob, second_bytes, NULL, 0},
        {in_ram + 4, first_bytes, weights, first_weights_bytes},
    };
    printf("core %x %x\n", (unsigned)host.core, (unsigned)host.features);
    for (uint32_t i = 0; i < 3U; i++) {
        memset(arenas[i], 0xA5, sizeof arenas[i]);
        const tinyhil_reloc_status status = tinyhil_reloc_install(&models[i], &host, &files[i], arenas[i], sizeof arenas[i]);
        if (status != TINYHIL_RELOC_OK) {
            printf("install %d %d\n", (int)i, status);
            return 1;
        }
        if (tinyhil_reloc_init(&models[i]) != 0) {
            return 2;
        }
    }
    const uint32_t step = bytes_of_inputs(&models[0]);
    const uint32_t other = bytes_of_inputs(&models[1]);
    int failed = 0;
    for (uint32_t round = 0; round < 2U; round++) {
        failed |= infer(&models[0], first_inputs + round * step, "first");
        failed |= infer(&models[1], second_inputs + round * other, "second");
        failed |= infer(&models[2], first_inputs + (1U - round) * step, "copy");
    }
    failed |= tinyhil_reloc_init(&models[1]);
    failed |= infer(&models[1], second_inputs, "anew");
    printf("verified %u observed %u\n", (unsigned)verified, (unsigned)observed);
    for (uint32_t i = 0; i < 3U; i++) {
        tinyhil_reloc_deinit(&models[i]);
    }
    refuse(host, files[0]);
    return failed;
}
