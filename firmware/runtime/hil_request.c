#include "hil_request.h"

#include <stdbool.h>

#include "hil_answer.h"
#include "hil_line.h"
#include "hil_port.h"

/* Damage is reported at most this often between two good frames, so that garbage cannot make us babble. */
#define DAMAGE_REPORTS 8U

static hil_receiver receiver;
static uint8_t chunk[512];
static size_t chunk_size;
static size_t chunk_at;
static uint8_t damage_reports; /* since the last good frame */
static bool held;

static void report_damage(void)
{
    if (damage_reports < DAMAGE_REPORTS) {
        damage_reports++;
        hil_tell(HIL_DAMAGED);
    }
}

const hil_receiver *hil_next_frame(void)
{
    if (held) {
        held = false;
        return &receiver;
    }
    for (;;) {
        if (chunk_at >= chunk_size) {
            chunk_size = hil_port_read(chunk, sizeof chunk);
            chunk_at = 0;
        }
        while (chunk_at < chunk_size) {
            int result = hil_receive(&receiver, chunk[chunk_at++]);
            if (result == HIL_RX_FRAME) {
                damage_reports = 0;
                hil_port_good_frame();
                return &receiver;
            }
            if (result == HIL_RX_DAMAGED) {
                report_damage();
            }
        }
    }
}

const hil_receiver *hil_next_request(void)
{
    const hil_receiver *frame;
    do {
        frame = hil_next_frame();
    } while (!hil_is_new(frame->content[0], hil_get16(frame->content + 1)));
    return frame;
}

void hil_hold_frame(void)
{
    held = true;
}
