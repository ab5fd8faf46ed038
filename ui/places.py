"""The pages, where they are in the menu and in the address."""

from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

FOLDER = Path(__file__).resolve().parents[1] / "pages"


def menu() -> dict[str, list[StreamlitPage]]:
    """Every page by the section it is listed under; the page of a job is reached from the lists alone."""
    return {
        "Cost": [
            st.Page(FOLDER / "overview.py", title="Overview", icon=":material/space_dashboard:", url_path="home", default=True),
            # The default page is served at the root alone; whoever types its name finds it as well.
            st.Page(FOLDER / "overview.py", title="Overview", url_path="overview", visibility="hidden"),
            st.Page(FOLDER / "team_cost.py", title="Team cost", icon=":material/groups:", url_path="team-cost"),
        ],
        "Operations": [
            runaway_page(),
            jobs_page(),
            job_page(),
            st.Page(FOLDER / "checkpoints.py", title="Checkpoint coverage", icon=":material/shield:", url_path="checkpoints"),
            tuning_page(),
            clean_page(),
        ],
        "Admin": [
            st.Page(FOLDER / "collectors.py", title="Collectors", icon=":material/sync:", url_path="collectors"),
            st.Page(FOLDER / "audit.py", title="Audit", icon=":material/history:", url_path="audit"),
        ],
    }


def tuning_page() -> StreamlitPage:
    """Tuning jobs."""
    return st.Page(FOLDER / "tuning.py", title="Tuning jobs", icon=":material/tune:", url_path="tuning")


def runaway_page() -> StreamlitPage:
    """What runs away."""
    return st.Page(FOLDER / "runaway.py", title="Runaway jobs", icon=":material/local_fire_department:", url_path="runaway")


def clean_page() -> StreamlitPage:
    """What can go."""
    return st.Page(FOLDER / "clean.py", title="Clean", icon=":material/mop:", url_path="clean")


def jobs_page() -> StreamlitPage:
    """The list of jobs."""
    return st.Page(FOLDER / "jobs.py", title="Jobs", icon=":material/list:", url_path="jobs")


def job_page() -> StreamlitPage:
    """The page of one job."""
    return st.Page(FOLDER / "job.py", title="Job", url_path="job", visibility="hidden")


def open_job(name: str, account: str, region: str, created: str) -> NoReturn:
    """Goes to the page of a job; a name alone may fit several."""
    st.switch_page(job_page(), query_params={"job": name, "account": account, "region": region, "created": created})
