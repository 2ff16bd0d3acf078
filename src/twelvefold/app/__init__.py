"""The composition root: agents, a store and models, with the verbs."""

from twelvefold.app.app import App as App
from twelvefold.app.blocking import SyncApp as SyncApp
