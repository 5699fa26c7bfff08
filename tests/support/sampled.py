"""Slow tests of which `make test` runs a share, the same in every run; `make test-long` runs all of them."""

from __future__ import annotations

from zlib import crc32

import pytest

from tests.support.scale import scaled

SHARES = {
    "boards/emulator/test_pyocd_board.py::test_kws_runs_exactly_and_the_second_run_skips_flashing": 0.5,
    "cli/host/test_compress.py": 0.5,
    "cli/host/test_history.py": 0.5,
    "cli/host/test_quantize.py": 0.5,
    "cli/host/test_widths.py::test_every_table_of_every_command_fits": 0.34,
    "compiler/host/test_emit.py::test_compiles_without_a_warning[clang]": 0,
    "farm/emulator/test_labgrid.py::test_a_coordinator_that_forgot_its_leases_gives_no_board_to_two": 0,
    "farm/emulator/test_labgrid.py::test_a_waiter_killed_when_its_turn_comes_holds_nothing": 0,
    "farm/emulator/test_labgrid.py::test_power_ports_are_switched_through_labgrids_drivers": 0,
    "farm/emulator/test_labgrid.py::test_quarantine_survives_the_agent_and_leases_can_be_ended": 0,
    "frontends/host/test_sklearn.py::test_the_page_is_what_happens": 0,
    "house/host/test_ci_examples.py::test_the_steps_run_in_a_clone[github]": 0,
    "house/host/test_install.py::test_nothing_is_imported_before_it_is_needed": 0.34,
    "house/host/test_page_commands.py::test_a_command_can_be_parsed": 0.25,
    "ir/host/test_control.py::test_a_loop_without_end_is_told": 0,
    "kernels/emulator/test_access_order.py::test_kernels_keep_to_the_order_they_declare[mps2-an386]": 0,
    "kernels/emulator/test_access_order.py::test_kernels_keep_to_the_order_they_declare[mps2-an500]": 0,
    "kernels/emulator/test_dsp_convolution.py": 0.6,
    "kernels/emulator/test_forced_kernels.py": 0.5,
    "kernels/emulator/test_mve_convolutions.py": 0.7,
    "kernels/emulator/test_mve_depthwise.py": 0.7,
    "kernels/emulator/test_mve_kernels.py": 0.7,
    "kernels/host/test_access_order.py::test_groups_of_channels_that_are_no_fours_keep_to_their_order": 0.34,
    "pytest_plugin/host/test_session.py::test_ctrl_c_is_no_pass[workers1]": 0,
    "recipes/host/test_steps.py::test_a_network_without_batch_norms_is_the_same": 0.34,
    "recipes/host/test_steps.py::test_rounded_in_training_is_what_int8_computes": 0.34,
    "search/host/test_search.py::test_two_processes_give_what_one_gives": 0,
}
"""Beginning of a test's id, from tests/ on -> share of the tests that begin so."""


def runs(test: str) -> bool:
    """Whether a test, by its id from tests/ on, is among those that run by default."""
    share = next((share for start, share in SHARES.items() if test.startswith(start)), 1.0)
    return scaled(crc32(test.encode()) < share * 2**32, True)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects the tests that do not run, unless tests were asked for by name."""
    if any("::" in argument for argument in config.args) or config.getoption("keyword"):
        return
    kept = [item for item in items if runs(item.nodeid.removeprefix("tests/"))]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if not runs(item.nodeid.removeprefix("tests/"))])
        items[:] = kept
