/* The example's update on emulated boards: flash is RAM of which programming makes zeros; the old model and the new one
 * come signed, and the signature is the digest with its bits turned. */
#include "model_update.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 1024, WORD = 8, PAGES = SLOT_PAGES };

extern const uint8_t old_image[], new_image[], inputs[];
extern const uint32_t old_bytes, new_bytes;

static _Alignas(256) uint8_t memory[2 * PAGES * PAGE];
static _Alignas(16) uint8_t arena[ARENA_BYTES];
static model_store store;
static uint32_t left = 0xFFFFFFFFU; /* operations until the power goes */

static bool powered(void)
{
    left -= left != 0U;
    return left != 0U;
}

static bool erase(void *user, uint32_t address)
{
    (void)user;
    if (!powered()) {
        return false;
    }
    memset(memory + address, 0xFF, PAGE);
    return true;
}

static bool program(void *user, uint32_t address, const uint8_t *word)
{
    (void)user;
    for (uint32_t i = 0; i < WORD; i++) {
        if (i % 4U == 0U && !powered()) {
            return false;
        }
        memory[address + i] &= word[i];
    }
    return true;
}

static bool fetch(void *user, uint32_t address, uint8_t *bytes, uint32_t size)
{
    (void)user;
    memcpy(bytes, memory + address, size);
    return true;
}

static bool signature_check(const uint8_t digest[32], const uint8_t *signature)
{
    uint32_t differ = 0;
    for (uint32_t i = 0; i < 64U; i++) {
        differ |= (uint8_t)(digest[i % 32U] ^ 0xFFU) ^ signature[i];
    }
    return differ == 0U;
}

static bool update(const uint8_t *image, uint32_t bytes)
{
    bool done = model_update_begin(&store, bytes);
    for (uint32_t at = 0; done && at < bytes; at += 100U) {
        done = model_update_write(&store, image + at, bytes - at < 100U ? bytes - at : 100U);
    }
    return done && model_update_finish(&store);
}

static void infer(const char *when)
{
    printf("%s ", when);
    if (!model_start(&store)) {
        printf("none\n");
        return;
    }
    const tinyhil_reloc_header *h = store.model.header;
    const tinyhil_reloc_tensor *t = tinyhil_reloc_tensors(h);
    memcpy(tinyhil_reloc_input(&store.model, 0), inputs, t[0].bytes);
    (void)tinyhil_reloc_invoke(&store.model, NULL, NULL);
    const uint8_t *output = tinyhil_reloc_output(&store.model, 0);
    for (uint32_t i = 0; i < t[1].bytes; i++) {
        printf("%02x", output[i]);
    }
    printf("\n");
}

int main(void)
{
    static const tinyhil_flash flash = {PAGE, WORD, erase, program, fetch, NULL};
    store.slots = (tinyhil_slots){&flash, {0, PAGES * PAGE}, PAGES * PAGE};
    store.flash = memory;
    store.signature_check = signature_check;
    store.arena = arena;
    store.arena_bytes = sizeof arena;
    tinyhil_reloc_this_core(&store.host);
    memset(memory, 0x55, sizeof memory);
    infer("nothing");
    printf("%d\n", update(old_image, old_bytes));
    infer("old");
    for (uint32_t cut = 1; cut < CUT_MAX; cut += CUT_STEP) {
        left = cut;
        const bool done = update(new_image, new_bytes);
        left = 0xFFFFFFFFU;
        if (done) {
            infer("uncut");
            return 0;
        }
        infer("cut");
    }
    printf("%d\n", update(new_image, new_bytes));
    infer("new");
    static uint8_t forged[PAGES * PAGE];
    memcpy(forged, old_image, old_bytes);
    forged[old_bytes / 2U] ^= 1U;
    printf("%d\n", update(forged, old_bytes));
    infer("forged");
    return 0;
}
