#include "hil_install.h"

#include <string.h>

#include "hil_answer.h"
#include "hil_handlers.h"
#include "hil_movable.h"
#include "hil_run.h"

/* Inputs and outputs together. */
#define SLOT_TENSORS_MAX 64U

static hil_tensor tensors[SLOT_TENSORS_MAX];
static hil_layer layers[HIL_MAX_LAYERS];

_Static_assert(sizeof(hil_tensor) == sizeof(tinyhil_reloc_region), "the file's regions are tensors of the runtime");

static int32_t init(void *context, void *arena, size_t size)
{
    (void)context;
    const tinyhil_reloc_header *h = hil_movable_header();
    if (h == NULL) {
        return TINYHIL_RELOC_NOT_READY;
    }
    return hil_movable_init((const uint8_t *)h, h->total_bytes, NULL, arena, size);
}

hil_model hil_slot_model = {.name = "", .arena_align = 1, .init = init, .invoke = hil_movable_invoke};

/* There is no model any more. */
static void empty(void)
{
    hil_movable_forget();
    hil_slot_model = (hil_model){.name = "", .arena_align = 1, .init = init, .invoke = hil_movable_invoke};
    if (hil_session.model == &hil_slot_model) {
        hil_session.model = NULL;
    }
}

static bool fits(const tinyhil_reloc_header *h)
{
    return h->layer_count <= HIL_MAX_LAYERS && (uint32_t)h->input_count + h->output_count <= SLOT_TENSORS_MAX;
}

/* The runtime's view of a file that is installed: its bounds were checked. Layers have no names in it. */
static void describe(const tinyhil_reloc_header *h)
{
    const tinyhil_reloc_tensor *own = tinyhil_reloc_tensors(h);
    for (uint32_t i = 0; i < (uint32_t)h->input_count + h->output_count; i++) {
        tensors[i] = (hil_tensor){own[i].arena_offset, own[i].bytes};
    }
    const tinyhil_reloc_layer *written = tinyhil_reloc_table(h, h->layers_offset);
    const hil_tensor *regions = tinyhil_reloc_table(h, h->regions_offset);
    for (uint32_t i = 0; i < h->layer_count; i++) {
        layers[i] = (hil_layer){"", regions, written[i]};
        regions += written[i];
    }
    hil_slot_model.name = h->name;
    memcpy(hil_slot_model.sha256, h->model_sha256, sizeof hil_slot_model.sha256);
    hil_slot_model.arena_size = h->arena_bytes;
    hil_slot_model.arena_align = h->arena_align;
    hil_slot_model.input_count = h->input_count;
    hil_slot_model.inputs = tensors;
    hil_slot_model.output_count = h->output_count;
    hil_slot_model.outputs = tensors + h->input_count;
    hil_slot_model.layer_count = h->layer_count;
    hil_slot_model.layers = layers;
}

/* -> u32 bytes of the slot, u32 bytes of arena, u8 whether a model is installed */
void hil_do_slot(void)
{
    uint8_t *answer = hil_answer_body();
    uint8_t *p = hil_put32(answer, hil_slot_size);
    p = hil_put32(p, hil_arena_size);
    p = hil_put8(p, hil_movable_header() != NULL ? 1U : 0U);
    hil_answer(HIL_OK, (size_t)(p - answer));
}

/* u32 offset, bytes. The model that was there is there no more. */
void hil_do_put(const uint8_t *body, size_t size)
{
    if (size < 4U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    uint32_t offset = hil_get32(body);
    size -= 4U;
    if (offset > hil_slot_size || size > hil_slot_size - offset) {
        hil_answer(HIL_BAD_RANGE, 0);
        return;
    }
    empty();
    memcpy(hil_slot + offset, body + 4, size);
    hil_answer(HIL_OK, 0);
}

/* u32 bytes of the file, u32 where its weights begin, u32 bytes of them, 0 where they are not apart
 * -> i32 0 or a tinyhil_reloc_status */
void hil_do_install(const uint8_t *body, size_t size)
{
    if (size != 12U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    uint32_t file = hil_get32(body);
    uint32_t at = hil_get32(body + 4);
    uint32_t weights = hil_get32(body + 8);
    if (file > hil_slot_size || at > hil_slot_size || weights > hil_slot_size - at || (weights != 0U && at < file)) {
        hil_answer(HIL_BAD_RANGE, 0);
        return;
    }
    hil_accept();
    empty();
    const tinyhil_reloc_files files = {hil_slot, file, weights == 0U ? NULL : hil_slot + at, weights};
    tinyhil_reloc_status status = hil_movable_install(&files, hil_arena, hil_arena_size);
    if (status == TINYHIL_RELOC_OK && !fits(hil_movable_header())) {
        empty();
        hil_answer(HIL_TOO_MANY_LAYERS, 0);
        return;
    }
    if (status == TINYHIL_RELOC_OK) {
        describe(hil_movable_header());
    }
    (void)hil_put32(hil_answer_body(), (uint32_t)status);
    hil_answer(status == TINYHIL_RELOC_OK ? HIL_OK : HIL_MODEL_FAILED, 4U);
}
