/* What the image and its models are. */
#include <string.h>

#include "hil_answer.h"
#include "hil_build.h"
#include "hil_handlers.h"
#include "hil_port.h"
#include "hil_run.h"

/* u8 length, bytes; cut to 255 bytes and to the room up to `end` (which must hold the length byte). */
static uint8_t *put_text(uint8_t *p, const uint8_t *end, const char *text)
{
    size_t length = strlen(text);
    size_t room = (size_t)(end - p) - 1U;
    length = length < 255U ? length : 255U;
    length = length < room ? length : room;
    p = hil_put8(p, (uint32_t)length);
    memcpy(p, text, length);
    return p + length;
}

/* u16 version, u32 nonce -> see docs/protocol.md. A newer host may send more. */
void hil_do_hello(const uint8_t *body, size_t size)
{
    if (size < 6U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    uint32_t flags = HIL_FLAG_COMPARES | (hil_calibrated.loop_ticks != 0U ? (uint32_t)HIL_FLAG_TICKS_RUN : 0U);
#ifdef HIL_INSTALLS
    flags |= HIL_FLAG_INSTALLS;
#endif
#ifdef HIL_TEST_FAULTS
    flags |= HIL_FLAG_TEST_FAULTS;
#endif
    uint8_t *answer = hil_answer_body();
    const uint8_t *end = answer + HIL_ANSWER_ROOM;
    uint8_t *p = hil_put16(answer, HIL_PROTOCOL_VERSION);
    p = hil_put16(p, HIL_FRAME_MAX);
    p = hil_put32(p, hil_get32(body + 2));
    p = hil_put8(p, flags);
    p = hil_put8(p, hil_session.stopped ? 1U : 0U);
    p = hil_put8(p, hil_port.tick_unit);
    p = hil_put8(p, hil_port_guard());
    p = hil_put32(p, hil_port.clock_hz);
    p = hil_put32(p, hil_port.tick_hz);
    p = hil_put32(p, hil_calibrated.observer);
    p = hil_put32(p, hil_calibrated.pair);
    p = hil_put32(p, hil_calibrated.run);
    p = hil_put32(p, hil_calibrated.loop_instructions);
    p = hil_put32(p, hil_calibrated.loop_ticks);
    p = hil_put32(p, (uint32_t)(hil_port_stack_high() - hil_port_stack_low()));
    p = hil_put32(p, hil_arena_size);
    p = hil_put16(p, hil_model_count);
    p = hil_put16(p, HIL_MAX_LAYERS);
    p = put_text(p, end, hil_build_id);
    p = put_text(p, end, hil_board);
    p = put_text(p, end, hil_port.core);
    hil_answer(HIL_OK, (size_t)(p - answer));
}

static uint8_t *put_facts(uint8_t *p, const uint8_t *end, const hil_model *model)
{
    memcpy(p, model->sha256, sizeof model->sha256);
    p += sizeof model->sha256;
    p = hil_put32(p, model->arena_size);
    p = hil_put32(p, model->arena_align);
    p = hil_put32(p, model->input_count);
    p = hil_put32(p, model->output_count);
    p = hil_put32(p, model->layer_count);
    return put_text(p, end, model->name);
}

static uint8_t *put_sizes(uint8_t *p, const uint8_t *end, const hil_tensor *tensors, uint32_t count, uint32_t first)
{
    for (uint32_t i = first; i < count && end - p >= 4; i++) {
        p = hil_put32(p, tensors[i].size);
    }
    return p;
}

/* Whole layers only: u8 length, name, u16 outputs, u32 size each. */
static uint8_t *put_layers(uint8_t *p, const uint8_t *end, const hil_model *model, uint32_t first)
{
    for (uint32_t i = first; i < model->layer_count; i++) {
        const hil_layer *layer = &model->layers[i];
        size_t name = strlen(layer->name);
        size_t head = 3U + (name < 255U ? name : 255U);
        size_t room = (size_t)(end - p);
        if (head > room || layer->output_count > (room - head) / 4U) {
            break;
        }
        p = put_text(p, end, layer->name);
        p = hil_put16(p, layer->output_count);
        p = put_sizes(p, end, layer->outputs, layer->output_count, 0);
    }
    return p;
}

/* u16 model, u8 table, u32 first entry -> as many entries as fit */
void hil_do_model(const uint8_t *body, size_t size)
{
    if (size != 7U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    uint32_t index = hil_get16(body);
    uint32_t first = hil_get32(body + 3);
    if (index >= hil_model_count) {
        hil_answer(HIL_BAD_MODEL, 0);
        return;
    }
    const hil_model *model = hil_models[index];
    uint8_t *answer = hil_answer_body();
    const uint8_t *end = answer + HIL_ANSWER_ROOM;
    uint8_t *p = answer;
    switch (body[2]) {
    case HIL_TABLE_FACTS: p = put_facts(p, end, model); break;
    case HIL_TABLE_INPUTS: p = put_sizes(p, end, model->inputs, model->input_count, first); break;
    case HIL_TABLE_OUTPUTS: p = put_sizes(p, end, model->outputs, model->output_count, first); break;
    case HIL_TABLE_LAYERS: p = put_layers(p, end, model, first); break;
    default: hil_answer(HIL_BAD_RANGE, 0); return;
    }
    hil_answer(HIL_OK, (size_t)(p - answer));
}
