/* Two slots in flash for one file, so that an update that is cut anywhere leaves the old file or the new one, whole.
 *
 * A slot is a row of pages. Its last bytes are the mark, written last of all: number of the update, bytes, CRC-32. The
 * slot with a sound mark, sound bytes and the higher number is the active one. An update erases the other slot, the page
 * with the mark first. docs/relocatable-runtime.md has the reasoning. */
#ifndef TINYHIL_SLOTS_H
#define TINYHIL_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TINYHIL_SLOT_MARK_BYTES 32U

/* The flash. Each function returns whether it worked; `read` returns false where the bytes cannot be read, as after a
 * write that was cut in a flash with error correction, and must not fault there. */
typedef struct {
    uint32_t page_bytes; /* what `erase` erases at once, all bits to 1 */
    uint32_t word_bytes; /* what is programmed at once, and only once between two erasures: 1, 2, 4, 8, 16 or 32 */
    bool (*erase)(void *user, uint32_t address);
    bool (*write)(void *user, uint32_t address, const uint8_t *word);
    bool (*read)(void *user, uint32_t address, uint8_t *bytes, uint32_t size);
    void *user;
} tinyhil_flash;

typedef struct {
    const tinyhil_flash *flash;
    uint32_t address[2]; /* both at the start of a page */
    uint32_t bytes;      /* of one slot, whole pages */
} tinyhil_slots;

typedef enum {
    TINYHIL_SLOTS_OK = 0,
    TINYHIL_SLOTS_NONE,     /* no slot holds a whole file, or no other one */
    TINYHIL_SLOTS_GEOMETRY, /* pages, words and slots do not fit together */
    TINYHIL_SLOTS_SIZE,     /* more bytes than a slot holds, or than were announced, or fewer */
    TINYHIL_SLOTS_ORDER,    /* no update was begun, or it failed or ended */
    TINYHIL_SLOTS_FLASH,    /* the flash did not do it, or reads other bytes than were written */
    TINYHIL_SLOTS_REFUSED   /* the firmware's own check said no */
} tinyhil_slots_status;

typedef struct {
    uint32_t slot;
    uint32_t address;
    uint32_t bytes;
    uint32_t number; /* of the update */
} tinyhil_slot;

/* An update that is going on; only tinyhil_slots.c looks inside. */
typedef struct {
    const tinyhil_slots *slots;
    tinyhil_slot to;
    uint32_t written;
    uint32_t crc;
    uint8_t word[TINYHIL_SLOT_MARK_BYTES];
} tinyhil_update;

/* Whether the file that was written may become the active one: signature, tinyhil_reloc_check(). */
typedef bool (*tinyhil_slots_accept)(void *user, uint32_t address, uint32_t bytes);

/* The file that is to run. Reads all of it. */
tinyhil_slots_status tinyhil_slots_active(const tinyhil_slots *slots, tinyhil_slot *active);

/* Erases the slot that is not active for a file of `bytes`. */
tinyhil_slots_status tinyhil_slots_begin(const tinyhil_slots *slots, tinyhil_update *update, uint32_t bytes);

/* The next bytes of the file, any number of them. */
tinyhil_slots_status tinyhil_slots_write(tinyhil_update *update, const uint8_t *bytes, uint32_t size);

/* Reads back what was written, asks `accept` (NULL: nobody), and writes the mark: the new file is the active one. */
tinyhil_slots_status tinyhil_slots_finish(tinyhil_update *update, tinyhil_slots_accept accept, void *user);

/* Gives the active file up, so that the one before it is active again; TINYHIL_SLOTS_NONE where there is none before. */
tinyhil_slots_status tinyhil_slots_revert(const tinyhil_slots *slots);

#ifdef __cplusplus
}
#endif

#endif
