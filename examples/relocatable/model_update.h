/* A model that is updated while the firmware runs: two slots in flash, files signed as images of MCUboot. */
#ifndef MODEL_UPDATE_H
#define MODEL_UPDATE_H

#include "tinyhil_relocatable.h"
#include "tinyhil_slots.h"

/* Ed25519 of the firmware's crypto library, with the public key that it holds: whether `signature` (64 bytes) is that
 * of `digest`. */
typedef bool (*model_signature_check)(const uint8_t digest[32], const uint8_t *signature);

typedef struct {
    tinyhil_slots slots;
    const uint8_t *flash; /* where address 0 of the slots is read */
    model_signature_check signature_check;
    uint8_t *arena;
    uint32_t arena_bytes;
    tinyhil_reloc_host host;
    tinyhil_reloc model;
    tinyhil_update update;
} model_store;

/* The files of a signed image at `image`: false where it is none, or its signature is not right. */
bool model_image_files(
    const uint8_t *image, uint32_t bytes, model_signature_check signature_check, tinyhil_reloc_files *files);

/* Starts the active model, after a reset or an update. */
bool model_start(model_store *store);

/* An update: begin, any number of writes, finish. Until finish is done, the old model runs on. */
bool model_update_begin(model_store *store, uint32_t bytes);
bool model_update_write(model_store *store, const uint8_t *bytes, uint32_t size);
bool model_update_finish(model_store *store);

#endif
