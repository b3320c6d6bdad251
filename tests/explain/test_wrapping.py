"""Where equations are broken in text."""

from symbp.explain.wrapping import equation_lines


def test_a_second_equals_sign_stands_under_the_first():
    whole = "∂i[n,m]/∂a[n,l,m] = [l = 0]·(1 - σ(a[n,0,m]))·σ(a[n,0,m]) = [l = 0]·(1 - i[n,m])·i[n,m]"
    assert equation_lines(whole, 70) == [
        "∂i[n,m]/∂a[n,l,m] = [l = 0]·(1 - σ(a[n,0,m]))·σ(a[n,0,m])",
        "                  = [l = 0]·(1 - i[n,m])·i[n,m]",
    ]


def test_the_sign_of_a_bracket_is_none():
    for width in range(20, 70, 7):
        lines = equation_lines("value[n] = [class[n] = label[n]]·first[n] + [n = last]·second[n]", width)
        assert all(line.count("[") == line.count("]") for line in lines)
