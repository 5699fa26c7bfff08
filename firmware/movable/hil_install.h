/* The slot: RAM of the image that the host writes a relocatable model to, and installs it. */
#ifndef HIL_INSTALL_H
#define HIL_INSTALL_H

#include "hil_model.h"

/* hil_models.c defines it. */
extern uint8_t hil_slot[];
extern const uint32_t hil_slot_size;

/* The model in the slot; without tensors and layers while there is none, and its init fails. */
extern hil_model hil_slot_model;

#endif
