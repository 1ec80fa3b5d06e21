def even(value: int) -> bool:
    return value % 2 == 0
