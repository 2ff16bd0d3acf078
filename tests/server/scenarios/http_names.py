"""How a served application is told what it is: by these variables."""

FOLDER = "TWELVEFOLD_SCENARIO_FOLDER"
WORLD = "TWELVEFOLD_SCENARIO"
