/* What the runtime knows of a model. The compiler writes one hil_model per model (NAME_hil.c) and one list (hil_models.c). */
#ifndef HIL_MODEL_H
#define HIL_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* A tensor's bytes: arena + offset, `size` bytes. */
typedef struct {
    uint32_t offset;
    uint32_t size;
} hil_tensor;

/* One layer and the tensors that it writes. */
typedef struct {
    const char *name;
    const hil_tensor *outputs;
    uint32_t output_count;
} hil_layer;

enum { HIL_LAYER_BEGIN = 0, HIL_LAYER_END = 1 };

/* Called before and after each layer. */
typedef void (*hil_observer)(void *user, uint32_t layer, uint32_t phase);

typedef struct {
    const char *name;
    uint8_t sha256[32]; /* of the model file */
    uint32_t arena_size;
    uint32_t arena_align;
    uint32_t context_size; /* bytes of the model's context, at most HIL_CONTEXT_MAX */
    uint32_t input_count;
    const hil_tensor *inputs;
    uint32_t output_count;
    const hil_tensor *outputs;
    uint32_t layer_count;
    const hil_layer *layers;
    /* Both return 0, or the model's own status. init also sets states to their initial values. */
    int32_t (*init)(void *context, void *arena, size_t arena_size);
    int32_t (*invoke)(void *context, hil_observer observer, void *user);
} hil_model;

#define HIL_CONTEXT_MAX 32

/* Most layers that are observed, and most outputs of them all that are compared. */
#define HIL_MAX_LAYERS 256U

extern const hil_model *const hil_models[];
extern const uint32_t hil_model_count;

/* Bytes that the runtime must reserve for the largest arena, and its strictest alignment. hil_models.c defines it. */
extern uint8_t hil_arena[];
extern const uint32_t hil_arena_size;

/* The largest scratch of models that have it apart from the arena; hil_models.c defines it where there are any. */
extern uint8_t hil_scratch[];
extern const uint32_t hil_scratch_size;

#endif
