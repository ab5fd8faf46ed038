"""The frame: brand, navigation, what is watched, then the page."""

import os
from pathlib import Path

import streamlit as st

from storage.engine import DatabaseUnusable
from ui import parts, places, reads, signin
from ui.filters import keep_teams
from ui.viewer import viewer
from ui.words import plain

STATIC = Path(__file__).parent / "static"
MOST_SCOPES = 8

st.set_page_config(page_title="Trainwatch", page_icon=str(STATIC / "mark.svg"), layout="wide", initial_sidebar_state=228)
dark = st.context.theme.type == "dark"
st.logo(str(STATIC / ("logo-dark.svg" if dark else "logo.svg")), icon_image=str(STATIC / "mark.svg"), size="medium")

try:
    person = viewer()
except DatabaseUnusable as error:
    st.error(f"The database cannot be used. {plain(str(error))}", icon=":material/database_off:")
    st.stop()
page = st.navigation(places.menu(), expanded=True, position="sidebar" if person.may_see else "hidden")
signin.show_problem()
if not person.may_see:
    signin.show_closed(person)
    st.stop()
keep_teams(page)
with st.sidebar:
    try:
        with parts.guarded("the list of what is watched"):
            scopes = sorted({(state.account_name or state.account, state.region) for state in reads.collector_states()})
            lines = [plain(f"{account} · {region}") for account, region in scopes[:MOST_SCOPES]]
            more = [f"and {len(scopes) - MOST_SCOPES} more"] if len(scopes) > MOST_SCOPES else []
            st.caption("  \n".join(lines + more) or "Nothing collected yet")
    except DatabaseUnusable as error:
        st.error(f"The database cannot be used. {plain(str(error))}", icon=":material/database_off:")
        st.stop()
    if os.environ.get("TRAINWATCH_SIMULATED"):
        st.badge("Simulated data", icon=":material/science:", color="violet", help="An invented account on this machine; no AWS.")
    signin.show_account(person)
parts.begin()
page.run()
