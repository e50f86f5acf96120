from tests.training.toy import made_pairs

__all__ = ["made_pairs"]
