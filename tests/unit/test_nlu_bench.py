import pytest

from load_tests.nlu_bench.figures import accuracy, auroc, macro_f1
from load_tests.nlu_bench.measure import public, rows


def test_accuracy_is_the_share_of_right_answers():
    answers = [("a", "a"), ("a", "b"), (None, None), ("b", None)]
    assert accuracy(answers) == 50
    with pytest.raises(ValueError, match="no answers"):
        accuracy([])


def test_macro_f1_weighs_each_category_the_same():
    answers = [("a", "a")] * 8 + [("b", "a"), ("b", "b")]
    # a: 8 right of 8 meant and 9 named; b: 1 right of 2 meant and 1 named.
    assert macro_f1(answers) == pytest.approx(100 * (16 / 17 + 2 / 3) / 2)


def test_auroc_is_the_chance_to_be_surer():
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1
    assert auroc([0.1], [0.9]) == 0
    assert auroc([0.5, 0.9], [0.5, 0.1]) == 0.875


@pytest.fixture
def folder(tmp_path):
    train = "text,category\nmy card is lost,card\nwhere is my money,money\n"
    (tmp_path / "train.csv").write_text(train, encoding="utf-8")
    test = 'text,category\n"lost, my card",card\nmoney where,money\n'
    (tmp_path / "test.csv").write_text(test, encoding="utf-8")
    return tmp_path


def test_an_engine_is_taught_one_file_and_asked_the_other(folder):
    asked = public("light", str(folder))
    assert [at[:2] for at in asked["answers"]] == [("card", "card"), ("money", "money")]
    assert len(asked["milliseconds"]) == 2


def test_a_file_without_the_columns_or_rows_is_named(tmp_path):
    path = tmp_path / "test.csv"
    path.write_text("sentence,label\nhi,greet\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match="test.csv needs the columns text and category"
    ):
        rows(path)
    path.write_text("text,category\n", encoding="utf-8")
    with pytest.raises(ValueError, match="test.csv has no rows"):
        rows(path)
