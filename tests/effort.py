"""How hard tests try: `make test` looks at each thing once or twice, `make test-long` at every case and at many times the examples."""

import os
from collections.abc import Mapping

LONG = os.environ.get("TRAINWATCH_TESTS") == "long"

# Of tests with many slow cases, or that are slow and have a quicker one of the same thing beside them: how many cases are always tried.
ALWAYS: Mapping[str, int] = {
    # The same page with another of its reads failing; every page keeps its first.
    "test_a_read_that_fails_is_said_in_its_place_and_the_question_stays": 24,
    # The same refusal of another operation.
    "test_where_anything_cannot_be_asked_nothing_is_claimed_nor_forgotten": 6,
    "test_nothing_goes_where_nobody_may_look_at_what_is_in_use": 2,
    "test_what_aws_refuses_is_told_in_words_leaves_the_job_running_and_can_be_asked_again": 3,
    "test_a_job_that_cannot_be_looked_at_again_is_not_stopped": 2,
    "test_a_mishap_is_recorded_in_words_and_the_next_run_goes_on_without_a_gap": 2,
    "test_a_failure_is_recorded_in_words_and_mends_by_itself": 3,
    "test_each_permission_can_be_tried_where_nothing_is": 12,
    # The same kill in another transaction.
    "test_killed_inside_each_transaction_in_turn_nothing_is_lost_or_twice": 2,
    # The same rule over other jobs, or at another time.
    "test_whatever_a_description_holds_the_job_is_kept_and_the_others_too": 8,
    "test_only_who_may_act_has_plans_made": 3,
    "test_a_prefix_in_which_something_is_written_after_the_plan_stays_whole": 2,
    "test_a_job_that_is_over_for_long_keeps_nothing_by_pointing_at_it": 3,
    "test_a_clock_that_is_wrong_by_minutes_changes_no_finding": 1,
    "test_a_clock_that_is_wrong_by_minutes_loses_and_invents_no_sample": 1,
    "test_a_snooze_lasts_until_the_time_that_was_chosen_though_the_job_worked_in_between": 0,
    "test_a_signal_ends_it_cleanly": 1,
    "test_a_second_pass_and_time_going_by_keep_the_books_true": 0,
    "test_ten_thousand_findings_are_one_transaction_of_moments": 0,
    "test_ten_minutes_and_three_hours_later_they_are_true_again": 0,
    "test_the_worker_releases_after_it_has_looked_at_models": 1,
    "test_every_state_of_checkpoints_is_there": 1,
    "test_at_a_terminal_it_asks_and_only_yes_is_yes": 1,
    "test_a_claim_whose_process_was_killed_is_taken_over_once_it_no_longer_holds": 1,
    "test_of_processes_at_once_one_asks_aws_and_the_other_is_told_who_did": 1,
    "test_the_most_holds_for_all_accounts_together_when_they_are_looked_after_at_once": 1,
    "test_lists_are_paged_to_their_end": 0,
    "test_a_bucket_that_is_too_large_is_cut_off_and_says_so": 0,
    "test_more_actions_than_one_query_may_name_keep_their_events": 0,
    "test_metric_definitions_of_any_shape_give_the_series_that_can_be_asked_for": 3,
    "test_a_bucket_is_looked_at_as_it_is": 3,
    "test_a_listing_that_breaks_off_forgets_nothing": 1,
    "test_one_scope_that_is_slow_does_not_delay_the_other": 0,
    "test_an_answer_of_many_pages_is_read_to_its_end": 0,
    "test_many_that_cannot_be_judged_take_no_longer_than_they_are_many": 0,
    "test_the_last_page_of_ten_thousand_hits_has_no_token": 0,
    "test_a_history_of_n_jobs_takes_no_more_than_n_over_a_hundred_and_ten_calls": 0,
    "test_list_does_not_describe_again_what_ended_and_is_unchanged": 0,
    "test_the_innocent_deserve_no_rule_and_are_no_matter_of_minutes": 3,
    "test_hostile_text_means_nothing_on_any_page": 5,
    "test_a_page_shows_its_question_and_an_answer": 20,
    # In a browser, what tests over HTTP, of pages, or of the actions have too.
    "test_an_open_dialog_outlives_newer_data": 0,
    "test_two_browsers_that_confirm_the_same_stop_ask_aws_once": 0,
    "test_a_phone_shows_the_page_without_scrolling_sideways": 1,
    "test_a_filter_goes_back_to_the_first_page_of_the_list": 0,
    "test_the_csv_download_has_every_job_of_the_list": 1,
    "test_a_job_link_opens_the_job_on_a_new_visit": 0,
    "test_whoever_has_not_signed_in_is_a_visitor_and_may_sign_in": 0,
    "test_on_all_addresses_even_this_machine_is_a_visitor": 1,
    "test_a_stop_that_aws_refuses_is_told_in_words_and_can_be_tried_again": 0,
    "test_a_plan_is_undone_in_the_browser_as_far_as_buckets_keep_versions": 0,
    "test_roles_of_somebody_by_group_among_many_groups_unknown_and_of_an_address_not_verified": 2,
    "test_addresses_of_the_sign_in_that_are_made_up_lead_home": 1,
    "test_a_changed_setting_counts_for_whoever_is_signed_in_after_a_restart": 0,
    "test_a_provider_out_of_reach_is_said_in_words": 0,
    "test_the_first_deep_link_on_a_fresh_server_comes_with_the_frame": 1,
    "test_a_failing_collector_is_seen_on_every_page_with_its_reason": 0,
    "test_the_team_cost_download_adds_up_to_the_page": 0,
    "test_teams_that_came_with_the_address_go_along_to_other_pages": 0,
}


def examples(long: int) -> int:
    """How many examples a property is tried with: so many in the long run, a twentieth of them else, ten at least."""
    return long if LONG else max(10, long // 20)
