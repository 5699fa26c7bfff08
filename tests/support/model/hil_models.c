/* Small models for tests of the runtime: "plus" adds 1 to each of 490 bytes in each of two layers; "counter" has a state, two
 * inputs, two outputs and a layer with two outputs; "timed" executes known numbers of instructions; "faulty" fails as told. */
#include <string.h>

#include "hil_model.h"
#include "hil_port.h"

#define PLUS_SIZE 490U

typedef struct {
    uint8_t *arena;
} context_t;

/* Uses 1000 bytes of stack for certain. */
static __attribute__((noinline)) void add_one(const uint8_t *x, uint8_t *y)
{
    volatile uint8_t buffer[1000];
    for (uint32_t i = 0; i < 1000U; i++) {
        buffer[i] = (uint8_t)(i < PLUS_SIZE ? x[i] + 1 : 0);
    }
    for (uint32_t i = 0; i < PLUS_SIZE; i++) {
        y[i] = buffer[i];
    }
}

static int32_t plus_init(void *context, void *arena, size_t arena_size)
{
    context_t *c = context;
    if (arena_size < 1056U) {
        return -1;
    }
    c->arena = arena;
    return 0;
}

/* Input at 0, middle at 496, output at 0 again: the first layer's output survives, the input does not. */
static int32_t plus_invoke(void *context, hil_observer observer, void *user)
{
    context_t *c = context;
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_BEGIN);
    }
    add_one(c->arena, c->arena + 496);
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_END);
    }
    if (observer != NULL) {
        observer(user, 1U, HIL_LAYER_BEGIN);
    }
    add_one(c->arena + 496, c->arena);
    if (observer != NULL) {
        observer(user, 1U, HIL_LAYER_END);
    }
    return 0;
}

static const hil_tensor plus_ends[] = {{0, PLUS_SIZE}};
static const hil_tensor plus_middle[] = {{496, PLUS_SIZE}};
static const hil_layer plus_layers[] = {{"add_00", plus_middle, 1}, {"add_01", plus_ends, 1}};

static const hil_model plus = {
    .name = "plus", .sha256 = {1, 2, 3}, .arena_size = 1056, .arena_align = 16, .context_size = sizeof(context_t),
    .input_count = 1, .inputs = plus_ends, .output_count = 1, .outputs = plus_ends,
    .layer_count = 2, .layers = plus_layers, .init = plus_init, .invoke = plus_invoke,
};

/* Arena: state u32 at 0, inputs at 16 (4 bytes) and 32 (3000 bytes), outputs at 3040 (4) and 3056 (3000). */
static int32_t counter_init(void *context, void *arena, size_t arena_size)
{
    context_t *c = context;
    c->arena = arena;
    memset(c->arena, 0, 4);
    return arena_size < 6064U ? -1 : 0;
}

/* Adds the first input to the state; the second output is the second input minus the state. A first byte of 0xEE fails. */
static int32_t counter_invoke(void *context, hil_observer observer, void *user)
{
    context_t *c = context;
    uint32_t state;
    uint32_t step;
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_BEGIN);
    }
    memcpy(&state, c->arena, 4);
    memcpy(&step, c->arena + 16, 4);
    state += step;
    memcpy(c->arena, &state, 4);
    memcpy(c->arena + 3040, &state, 4);
    for (uint32_t i = 0; i < 3000U; i++) {
        c->arena[3056U + i] = (uint8_t)(c->arena[32U + i] - (uint8_t)state);
    }
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_END);
    }
    return c->arena[16] == 0xEE ? 7 : 0;
}

static const hil_tensor counter_inputs[] = {{16, 4}, {32, 3000}};
static const hil_tensor counter_outputs[] = {{3040, 4}, {3056, 3000}};
static const hil_layer counter_layers[] = {{"count_00", counter_outputs, 2}};

static const hil_model counter = {
    .name = "counter", .sha256 = {4, 5, 6}, .arena_size = 6064, .arena_align = 16, .context_size = sizeof(context_t),
    .input_count = 2, .inputs = counter_inputs, .output_count = 2, .outputs = counter_outputs,
    .layer_count = 1, .layers = counter_layers, .init = counter_init, .invoke = counter_invoke,
};

/* Two layers: 4000 instructions, and as many as the input says (a multiple of 4). */
static int32_t timed_invoke(void *context, hil_observer observer, void *user)
{
    context_t *c = context;
    uint32_t instructions;
    memcpy(&instructions, c->arena, 4);
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_BEGIN);
    }
    (void)hil_port_known_loop(4000U);
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_END);
    }
    if (observer != NULL) {
        observer(user, 1U, HIL_LAYER_BEGIN);
    }
    (void)hil_port_known_loop(instructions);
    if (observer != NULL) {
        observer(user, 1U, HIL_LAYER_END);
    }
    return 0;
}

static const hil_tensor timed_ends[] = {{0, 4}};
static const hil_layer timed_layers[] = {{"loop_00", timed_ends, 1}, {"loop_01", timed_ends, 1}};

static const hil_model timed = {
    .name = "timed", .sha256 = {7, 8, 9}, .arena_size = 1056, .arena_align = 16, .context_size = sizeof(context_t),
    .input_count = 1, .inputs = timed_ends, .output_count = 1, .outputs = timed_ends,
    .layer_count = 2, .layers = timed_layers, .init = plus_init, .invoke = timed_invoke,
};

static volatile uint32_t sink;

static __attribute__((noinline)) uint32_t faulty_recursion(uint32_t depth)
{
    volatile uint32_t frame[16];
    for (uint32_t i = 0; i < 16U; i++) {
        frame[i] = depth + i;
    }
    if (depth != 0xFFFFFFFFU) {
        sink = faulty_recursion(depth + 1U);
    }
    return frame[depth & 15U] + sink;
}

/* The input's first byte: 1 stack overflow, 2 bus fault, 3 undefined instruction, 4 hang, else nothing. */
static int32_t faulty_invoke(void *context, hil_observer observer, void *user)
{
    context_t *c = context;
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_BEGIN);
    }
    switch (c->arena[0]) {
    case 1: sink = faulty_recursion(0); break;
#ifdef HIL_TEST_FAULTS
    case 2: hil_port_bad_access(); break;
    case 3: hil_port_bad_instruction(); break;
#endif
    case 4:
        for (;;) {
            sink = 0;
        }
    default: break;
    }
    if (observer != NULL) {
        observer(user, 0U, HIL_LAYER_END);
    }
    return 0;
}

static const hil_layer faulty_layers[] = {{"faulty_00", timed_ends, 1}};

static const hil_model faulty = {
    .name = "faulty", .sha256 = {10, 11, 12}, .arena_size = 1056, .arena_align = 16, .context_size = sizeof(context_t),
    .input_count = 1, .inputs = timed_ends, .output_count = 1, .outputs = timed_ends,
    .layer_count = 1, .layers = faulty_layers, .init = plus_init, .invoke = faulty_invoke,
};

const hil_model *const hil_models[] = {&plus, &counter, &timed, &faulty};
const uint32_t hil_model_count = 4;
_Alignas(16) uint8_t hil_arena[6144];
const uint32_t hil_arena_size = 6144;
