"""Two agents or more, each measured alone and all together: what they do to one another.

``plan`` says who, how and in which order, ``contest`` does it, ``turn`` is what one agent's
workflow took, ``keeping`` puts it into the store, ``figures`` computes facts from it.
"""
