#include "model_update.h"

#include "tinyhil_hash.h"

#include <string.h>

/* MCUboot's image: a header, the file, and behind it tags with their lengths; those that are protected come first. */
enum {
    HEADER_BYTES = 32,
    TAGS_HEADER_BYTES = 4,
    TAG_HEADER_BYTES = 4,
    SIGNATURE_BYTES = 64,
    TAG_ED25519 = 0x24,
};
#define IMAGE_MAGIC 0x96F3B83DU
#define TAGS_MAGIC 0x6907U

static uint32_t half_at(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t word_at(const uint8_t *at)
{
    return half_at(at) | half_at(at + 2) << 16;
}

/* The signature among the tags that begin at `at`; NULL where there is none. */
static const uint8_t *signature_in(const uint8_t *image, uint32_t bytes, uint32_t at)
{
    if (bytes - at < TAGS_HEADER_BYTES || half_at(image + at) != TAGS_MAGIC) {
        return NULL;
    }
    const uint32_t size = half_at(image + at + 2);
    if (size < TAGS_HEADER_BYTES || size > bytes - at) {
        return NULL;
    }
    const uint32_t end = at + size;
    at += TAGS_HEADER_BYTES;
    while (end - at >= TAG_HEADER_BYTES) {
        const uint32_t tag = half_at(image + at);
        const uint32_t length = half_at(image + at + 2);
        at += TAG_HEADER_BYTES;
        if (length > end - at) {
            return NULL;
        }
        if (tag == TAG_ED25519 && length == SIGNATURE_BYTES) {
            return image + at;
        }
        at += length;
    }
    return NULL;
}

bool model_image_files(
    const uint8_t *image, uint32_t bytes, model_signature_check signature_check, tinyhil_reloc_files *files)
{
    uint32_t words[8];
    uint8_t digest[32];
    if (bytes < HEADER_BYTES || word_at(image) != IMAGE_MAGIC) {
        return false;
    }
    const uint32_t header = half_at(image + 8);
    const uint32_t protected_tags = half_at(image + 10);
    const uint32_t size = word_at(image + 12);
    if (header < HEADER_BYTES || header > bytes || size > bytes - header || protected_tags > bytes - header - size) {
        return false;
    }
    const uint32_t signed_bytes = header + size + protected_tags;
    const uint8_t *signature = signature_in(image, bytes, signed_bytes);
    if (signature == NULL) {
        return false;
    }
    tinyhil_sha256(image, signed_bytes, words);
    memcpy(digest, words, sizeof digest);
    *files = (tinyhil_reloc_files){image + header, size, NULL, 0};
    return signature_check(digest, signature);
}

/* Before the new file becomes the active one: it is signed, and this firmware can run it. */
static bool accept(void *user, uint32_t address, uint32_t bytes)
{
    model_store *store = user;
    tinyhil_reloc_files files;
    return model_image_files(store->flash + address, bytes, store->signature_check, &files) &&
           tinyhil_reloc_check(&store->host, &files, TINYHIL_RELOC_SHA256) == TINYHIL_RELOC_OK;
}

bool model_start(model_store *store)
{
    tinyhil_slot active;
    tinyhil_reloc_files files;
    tinyhil_reloc_deinit(&store->model);
    if (tinyhil_slots_active(&store->slots, &active) != TINYHIL_SLOTS_OK) {
        return false;
    }
    const uint8_t *image = store->flash + active.address;
    /* The signature is checked here rather than by the runtime's hook, since the image around the file is at hand. */
    return model_image_files(image, active.bytes, store->signature_check, &files) &&
           tinyhil_reloc_install(&store->model, &store->host, &files, store->arena, store->arena_bytes) ==
               TINYHIL_RELOC_OK &&
           tinyhil_reloc_init(&store->model) == 0;
}

bool model_update_begin(model_store *store, uint32_t bytes)
{
    return tinyhil_slots_begin(&store->slots, &store->update, bytes) == TINYHIL_SLOTS_OK;
}

bool model_update_write(model_store *store, const uint8_t *bytes, uint32_t size)
{
    return tinyhil_slots_write(&store->update, bytes, size) == TINYHIL_SLOTS_OK;
}

bool model_update_finish(model_store *store)
{
    return tinyhil_slots_finish(&store->update, accept, store) == TINYHIL_SLOTS_OK && model_start(store);
}
