/* Requests that move bytes: inputs, outputs, layers, the profile, the arena, and the high-water marks. */
#include <string.h>

#include "hil_answer.h"
#include "hil_fault.h"
#include "hil_handlers.h"
#include "hil_paint.h"
#include "hil_port.h"
#include "hil_run.h"

/* The bytes of an input, or what mode COMPARE expects; `there`: how many. NULL where there is no such input. */
static uint8_t *target_of(uint32_t index, size_t *there)
{
    const hil_model *model = hil_session.model;
    if (index < model->input_count) {
        *there = model->inputs[index].size;
        return hil_arena + model->inputs[index].offset;
    }
    *there = hil_expected_size(model);
    return index == HIL_WRITE_EXPECTED ? (uint8_t *)&hil_session.expected : NULL;
}

/* u8 input, u32 offset, bytes */
void hil_do_write(const uint8_t *body, size_t size)
{
    if (size < 5U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    if (hil_session.model == NULL) {
        hil_answer(HIL_BAD_STATE, 0);
        return;
    }
    uint32_t offset = hil_get32(body + 1);
    size_t there;
    uint8_t *to = target_of(body[0], &there);
    size -= 5U;
    if (to == NULL || offset > there || size > there - offset) {
        hil_answer(HIL_BAD_RANGE, 0);
        return;
    }
    memcpy(to + offset, body + 5, size);
    hil_answer(HIL_OK, 0);
}

/* u8 space, u16 index, u16 tensor, u32 offset, u16 size -> bytes */
void hil_do_read(const uint8_t *body, size_t size)
{
    if (size != 11U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    if (hil_session.model == NULL) {
        hil_answer(HIL_BAD_STATE, 0);
        return;
    }
    uint32_t index = hil_get16(body + 1);
    uint32_t tensor = hil_get16(body + 3);
    uint32_t offset = hil_get32(body + 5);
    size_t count = hil_get16(body + 9);
    const uint8_t *from = NULL;
    size_t there = 0;
    switch (body[0]) {
    case HIL_SPACE_OUTPUT:
        if (index < hil_session.model->output_count) {
            from = hil_arena + hil_session.model->outputs[index].offset;
            there = hil_session.model->outputs[index].size;
        }
        break;
    case HIL_SPACE_LAYER: /* only until the next layer may overwrite it */
        if (!hil_session.stopped || index != hil_now.layer) {
            hil_answer(HIL_BAD_STATE, 0);
            return;
        }
        if (index < hil_session.model->layer_count && tensor < hil_session.model->layers[index].output_count) {
            from = hil_arena + hil_session.model->layers[index].outputs[tensor].offset;
            there = hil_session.model->layers[index].outputs[tensor].size;
        }
        break;
    case HIL_SPACE_TICKS: /* as in memory: every port is little-endian */
        from = (const uint8_t *)hil_session.layer_ticks;
        there = sizeof hil_session.layer_ticks;
        break;
    case HIL_SPACE_LAYER_STACK:
        from = (const uint8_t *)hil_session.layer_stack;
        there = sizeof hil_session.layer_stack;
        break;
    case HIL_SPACE_ARENA:
        from = hil_arena;
        there = hil_arena_size;
        break;
    default: break;
    }
    if (from == NULL || offset > there || count > there - offset || count > HIL_ANSWER_ROOM) {
        hil_answer(HIL_BAD_RANGE, 0);
        return;
    }
    memcpy(hil_answer_body(), from + offset, count);
    hil_answer(HIL_OK, count);
}

/* -> u32 stack size, stack used by the last run, stack used ever, arena size, arena high-water mark, bytes never
 * written, bytes written beyond the model's arena, runs since INIT */
void hil_do_watermark(void)
{
    if (hil_session.model == NULL) {
        hil_answer(HIL_BAD_STATE, 0);
        return;
    }
    hil_marks marks = hil_paint_marks(hil_arena, hil_session.model->arena_size, hil_arena_size, hil_session.paint_seed);
    uint32_t stack_size = HIL_UNKNOWN;
    uint32_t stack_ever = HIL_UNKNOWN;
    if (hil_stack_known()) {
        stack_size = (uint32_t)(hil_port_stack_high() - hil_port_stack_low());
        (void)hil_stack_lowest();
        stack_ever = (uint32_t)(hil_port_stack_high() - hil_session.stack_lowest_ever);
    }
    uint8_t *answer = hil_answer_body();
    uint8_t *p = hil_put32(answer, stack_size);
    p = hil_put32(p, hil_session.run_stack_used);
    p = hil_put32(p, stack_ever);
    p = hil_put32(p, hil_session.model->arena_size);
    p = hil_put32(p, marks.high);
    p = hil_put32(p, marks.untouched);
    p = hil_put32(p, marks.overrun);
    p = hil_put32(p, hil_session.runs);
    hil_answer(HIL_OK, (size_t)(p - answer));
}

/* u32 first byte, u16 most bytes in the answer -> u32 byte that comes next (the arena's size at its end), and for each
 * stretch of paint u16 bytes that lost theirs before it, u16 bytes of it. The paint of longer ones goes on in the next. */
void hil_do_gaps(const uint8_t *body, size_t size)
{
    if (size != 6U) {
        hil_answer(HIL_BAD_LENGTH, 0);
        return;
    }
    if (hil_session.model == NULL) {
        hil_answer(HIL_BAD_STATE, 0);
        return;
    }
    uint32_t at = hil_get32(body);
    size_t room = hil_get16(body + 4);
    if (at > hil_session.model->arena_size || room < 8U || room > HIL_ANSWER_ROOM) {
        hil_answer(HIL_BAD_RANGE, 0);
        return;
    }
    uint8_t *answer = hil_answer_body();
    uint8_t *p = answer + 4;
    while (at < hil_session.model->arena_size && (size_t)(p - answer) + 4U <= room) {
        for (uint32_t kept = 0; kept < 2U; kept++) {
            uint32_t end = hil_paint_end(hil_arena, at, hil_session.model->arena_size, hil_session.paint_seed, kept != 0U);
            end = end - at > 0xFFFFU ? at + 0xFFFFU : end;
            p = hil_put16(p, end - at);
            at = end;
        }
    }
    (void)hil_put32(answer, at);
    hil_answer(HIL_OK, (size_t)(p - answer));
}
