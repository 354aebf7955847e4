"""The reports of a duel: one of each scenario, and one that holds the scenarios side by side."""
