"""The writer's grade ``cite``: the model writes sentences with references in place of numbers."""
