from .claim import Claim as Claim
from .claim import Judgement as Judgement
from .claim import Verdict as Verdict
from .judging import judge as judge
from .quantity import check_quantity as check_quantity

__all__: list[str]
