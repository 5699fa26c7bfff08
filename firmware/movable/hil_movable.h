/* Models of this image that are relocatable files in it, or in the slot that the host fills: docs/relocatable.md. */
#ifndef HIL_MOVABLE_H
#define HIL_MOVABLE_H

#include <stdbool.h>

#include "hil_model.h"
#include "tinyhil_relocatable.h"

/* hil_model's init of a file at `file`, or where it is copied to first. 0, a tinyhil_reloc_status, or the model's own. */
int32_t hil_movable_init(const uint8_t *file, uint32_t bytes, uint8_t *copy, void *arena, size_t arena_size);

/* hil_model's invoke of the one that was initialized last. */
int32_t hil_movable_invoke(void *context, hil_observer observer, void *user);

/* Checks files and makes them the current model. */
tinyhil_reloc_status hil_movable_install(const tinyhil_reloc_files *files, void *arena, size_t arena_size);

/* What the current model says of itself; NULL where there is none. */
const tinyhil_reloc_header *hil_movable_header(void);

/* There is none any more. */
void hil_movable_forget(void);

#endif
