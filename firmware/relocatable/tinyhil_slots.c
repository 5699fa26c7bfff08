#include "tinyhil_slots.h"

#include "tinyhil_hash.h"

#include <string.h>

#define MARK_MAGIC 0x4B4D4854U /* "THMK" */
#define CHUNK 64U
#define NO_SLOT 2U

/* The CRC stands last: until it is written, every word of it, the mark is none. */
typedef struct {
    uint32_t magic;
    uint32_t number;
    uint32_t bytes;
    uint32_t content_crc;
    uint32_t zero[3];
    uint32_t crc;
} slot_mark;

_Static_assert(sizeof(slot_mark) == TINYHIL_SLOT_MARK_BYTES, "a mark is one word of the widest flash");

static uint32_t crc_of_mark(const slot_mark *mark)
{
    uint8_t bytes[sizeof *mark];
    memcpy(bytes, mark, sizeof bytes);
    return tinyhil_crc32(0, bytes, (uint32_t)(sizeof bytes - sizeof mark->crc));
}

static uint32_t room(const tinyhil_slots *slots)
{
    return slots->bytes - TINYHIL_SLOT_MARK_BYTES;
}

static bool fits_together(const tinyhil_slots *slots)
{
    const uint32_t page = slots->flash->page_bytes;
    const uint32_t word = slots->flash->word_bytes;
    const uint32_t first = slots->address[0];
    const uint32_t second = slots->address[1];
    if (word == 0U || word > TINYHIL_SLOT_MARK_BYTES || (word & (word - 1U)) != 0U || page < TINYHIL_SLOT_MARK_BYTES) {
        return false;
    }
    if (page % word != 0U || slots->bytes == 0U || slots->bytes % page != 0U) {
        return false;
    }
    if (first % page != 0U || second % page != 0U) {
        return false;
    }
    if (first > UINT32_MAX - slots->bytes || second > UINT32_MAX - slots->bytes) {
        return false;
    }
    return (first < second ? second - first : first - second) >= slots->bytes;
}

/* Whether all `bytes` at the slot's start can be read; their CRC. */
static bool crc_of_content(const tinyhil_slots *slots, uint32_t slot, uint32_t bytes, uint32_t *crc)
{
    const tinyhil_flash *flash = slots->flash;
    uint8_t chunk[CHUNK];
    *crc = 0;
    for (uint32_t at = 0; at < bytes; at += CHUNK) {
        const uint32_t count = bytes - at < CHUNK ? bytes - at : CHUNK;
        if (!flash->read(flash->user, slots->address[slot] + at, chunk, count)) {
            return false;
        }
        *crc = tinyhil_crc32(*crc, chunk, count);
    }
    return true;
}

/* Whether a slot holds a whole file; its number and bytes. */
static bool holds(const tinyhil_slots *slots, uint32_t slot, tinyhil_slot *found)
{
    const tinyhil_flash *flash = slots->flash;
    slot_mark mark;
    uint8_t bytes[sizeof mark];
    uint32_t crc;
    if (!flash->read(flash->user, slots->address[slot] + room(slots), bytes, sizeof bytes)) {
        return false;
    }
    memcpy(&mark, bytes, sizeof mark);
    if (mark.magic != MARK_MAGIC || mark.crc != crc_of_mark(&mark) || mark.bytes > room(slots)) {
        return false;
    }
    if (!crc_of_content(slots, slot, mark.bytes, &crc) || crc != mark.content_crc) {
        return false;
    }
    *found = (tinyhil_slot){slot, slots->address[slot], mark.bytes, mark.number};
    return true;
}

tinyhil_slots_status tinyhil_slots_active(const tinyhil_slots *slots, tinyhil_slot *active)
{
    tinyhil_slot found[2];
    if (!fits_together(slots)) {
        return TINYHIL_SLOTS_GEOMETRY;
    }
    const bool first = holds(slots, 0, &found[0]);
    const bool second = holds(slots, 1, &found[1]);
    if (!first && !second) {
        return TINYHIL_SLOTS_NONE;
    }
    /* Numbers go on through 2^32: the later one is ahead by less than half of that. */
    const bool later = first && second && found[1].number - found[0].number < 0x80000000U;
    *active = found[second && (!first || later) ? 1 : 0];
    return TINYHIL_SLOTS_OK;
}

/* Erases the page with the mark, before any other. A mark that outlives an erasure that was cut still stands for its
 * file: no other page is touched yet, and the CRC in it tells whether bytes of the same page are gone. */
static bool erase_mark(const tinyhil_slots *slots, uint32_t slot)
{
    const tinyhil_flash *flash = slots->flash;
    return flash->erase(flash->user, slots->address[slot] + slots->bytes - flash->page_bytes);
}

tinyhil_slots_status tinyhil_slots_begin(const tinyhil_slots *slots, tinyhil_update *update, uint32_t bytes)
{
    tinyhil_slot active = {NO_SLOT, 0, 0, 0};
    memset(update, 0, sizeof *update);
    const tinyhil_slots_status status = tinyhil_slots_active(slots, &active);
    if (status == TINYHIL_SLOTS_GEOMETRY) {
        return status;
    }
    if (bytes == 0U || bytes > room(slots)) {
        return TINYHIL_SLOTS_SIZE;
    }
    const tinyhil_flash *flash = slots->flash;
    const uint32_t slot = active.slot == 0U ? 1U : 0U;
    const uint32_t last_page = slots->bytes - flash->page_bytes;
    if (!erase_mark(slots, slot)) {
        return TINYHIL_SLOTS_FLASH;
    }
    for (uint32_t at = 0; at < bytes && at < last_page; at += flash->page_bytes) {
        if (!flash->erase(flash->user, slots->address[slot] + at)) {
            return TINYHIL_SLOTS_FLASH;
        }
    }
    update->slots = slots;
    update->to = (tinyhil_slot){slot, slots->address[slot], bytes, active.number + 1U};
    return TINYHIL_SLOTS_OK;
}

/* Ends an update that failed: nothing more is written. */
static tinyhil_slots_status failed(tinyhil_update *update, tinyhil_slots_status status)
{
    update->slots = NULL;
    return status;
}

/* Programs the gathered word, whose address is that of the last byte written. */
static bool flush(tinyhil_update *update)
{
    const tinyhil_flash *flash = update->slots->flash;
    const uint32_t at = (update->written - 1U) & ~(flash->word_bytes - 1U);
    return flash->write(flash->user, update->to.address + at, update->word);
}

tinyhil_slots_status tinyhil_slots_write(tinyhil_update *update, const uint8_t *bytes, uint32_t size)
{
    if (update->slots == NULL) {
        return TINYHIL_SLOTS_ORDER;
    }
    if (size > update->to.bytes - update->written) {
        return failed(update, TINYHIL_SLOTS_SIZE);
    }
    const uint32_t mask = update->slots->flash->word_bytes - 1U;
    update->crc = tinyhil_crc32(update->crc, bytes, size);
    for (uint32_t i = 0; i < size; i++) {
        update->word[update->written & mask] = bytes[i];
        update->written++;
        if ((update->written & mask) == 0U && !flush(update)) {
            return failed(update, TINYHIL_SLOTS_FLASH);
        }
    }
    return TINYHIL_SLOTS_OK;
}

/* Fills the last word up, as erased flash is, and programs it. */
static bool flush_rest(tinyhil_update *update)
{
    const uint32_t word = update->slots->flash->word_bytes;
    const uint32_t filled = update->written & (word - 1U);
    memset(update->word + filled, 0xFF, word - filled);
    return filled == 0U || flush(update);
}

static bool write_mark(const tinyhil_update *update)
{
    const tinyhil_slots *slots = update->slots;
    const tinyhil_flash *flash = slots->flash;
    slot_mark mark = {MARK_MAGIC, update->to.number, update->to.bytes, update->crc, {0, 0, 0}, 0};
    uint8_t bytes[sizeof mark];
    mark.crc = crc_of_mark(&mark);
    memcpy(bytes, &mark, sizeof bytes);
    for (uint32_t at = 0; at < sizeof bytes; at += flash->word_bytes) {
        if (!flash->write(flash->user, update->to.address + room(slots) + at, bytes + at)) {
            return false;
        }
    }
    return true;
}

tinyhil_slots_status tinyhil_slots_finish(tinyhil_update *update, tinyhil_slots_accept accept, void *user)
{
    tinyhil_slot written;
    uint32_t crc;
    if (update->slots == NULL) {
        return TINYHIL_SLOTS_ORDER;
    }
    const tinyhil_slots *slots = update->slots;
    const tinyhil_slot to = update->to;
    if (update->written != to.bytes) {
        return failed(update, TINYHIL_SLOTS_SIZE);
    }
    if (!flush_rest(update) || !crc_of_content(slots, to.slot, to.bytes, &crc) || crc != update->crc) {
        return failed(update, TINYHIL_SLOTS_FLASH);
    }
    if (accept != NULL && !accept(user, to.address, to.bytes)) {
        return failed(update, TINYHIL_SLOTS_REFUSED);
    }
    const bool done = write_mark(update) && holds(slots, to.slot, &written) && written.number == to.number;
    return failed(update, done ? TINYHIL_SLOTS_OK : TINYHIL_SLOTS_FLASH);
}

tinyhil_slots_status tinyhil_slots_revert(const tinyhil_slots *slots)
{
    tinyhil_slot active, before;
    const tinyhil_slots_status status = tinyhil_slots_active(slots, &active);
    if (status != TINYHIL_SLOTS_OK) {
        return status;
    }
    if (!holds(slots, 1U - active.slot, &before)) {
        return TINYHIL_SLOTS_NONE;
    }
    return erase_mark(slots, active.slot) ? TINYHIL_SLOTS_OK : TINYHIL_SLOTS_FLASH;
}
