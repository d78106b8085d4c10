"""Pages that show what there is to buy."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.shop.backends.town import Town


def test_a_page_of_products_leads_to_the_next_one_and_the_last_to_none(stranger: FlaskClient) -> None:
    seen, after = [], None
    for _ in range(3):
        answer = stranger.get("/api/products", query_string={"after": after} if after else {})
        assert answer.status_code == 200
        seen += [(product["id"], product["price"], product["there"]) for product in answer.json["products"]]
        after = answer.json["after"]
        assert answer.json["total"] == 5
    assert after is None
    assert seen == [
        ("p1", "2.68", True),
        ("p2", "19.99", False),
        ("p3", "0.10", True),
        ("p4", "0.20", True),
        ("p5", "49.50", True),
    ]


def test_a_cursor_tells_nothing_of_the_backend_and_cannot_be_made_up(stranger: FlaskClient) -> None:
    after = stranger.get("/api/products").json["after"]
    assert "c2" not in after
    for forged in (after[:-2], "c2", after.swapcase()):
        answer = stranger.get("/api/products", query_string={"after": forged})
        assert (answer.status_code, answer.json["title"]) == (400, "That page is not there")


def test_spaces_of_a_search_are_one(stranger: FlaskClient) -> None:
    answer = stranger.get("/api/products", query_string={"q": "green   tea"})
    assert [product["id"] for product in answer.json["products"]] == ["p1"]


def test_a_product_speaks_the_language_that_is_liked_best(stranger: FlaskClient) -> None:
    for header, name in (("fr, de;q=0.5, en;q=0.4", "Grüner Tee"), ("en", "Green tea"), ("fr", "Green tea")):
        answer = stranger.get("/api/products/p1", headers={"Accept-Language": header})
        assert answer.json["name"] == name


def test_reviews_are_in_order_and_their_times_in_one_form(stranger: FlaskClient) -> None:
    answer = stranger.get("/api/products/p1")
    assert answer.json == {
        "id": "p1",
        "name": "Green tea",
        "price": 2.675,
        "there": 12,
        "reviews": [
            {"stars": 5, "text": "Fine, see order #…", "order": 1042, "written": "2026-11-28T15:30:00.000Z"},
            {"stars": 3, "text": "Late", "order": None, "written": "2026-11-28T16:00:00.000Z"},
        ],
        "errors": [],
    }


def test_a_product_that_is_not_there_is_404_though_its_backend_says_so_in_html(stranger: FlaskClient) -> None:
    answer = stranger.get("/api/products/p99")
    assert (answer.status_code, answer.json["step"]) == (404, "product")


def test_the_tree_of_the_shop_counts_the_products_of_all_pages(stranger: FlaskClient) -> None:
    assert stranger.get("/api/categories").json == [
        {"id": 7, "title": "Tea", "products": 2, "below": []},
        {
            "id": 12,
            "title": "Ware",
            "products": 1,
            "below": [{"id": 9, "title": "Cups", "products": 2}],
        },
    ]


def test_the_price_list_is_a_file_for_a_spreadsheet(stranger: FlaskClient) -> None:
    answer = stranger.get("/api/price-list.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="price-list.csv"'
    assert answer.text.split("\r\n") == [
        "sku,name,price,level",
        "CUP-10,Cup,0.1,100",
        "CUP-11,Mug & saucer,0.2,1",
        "POT-20,Pot,49.5,3",
        "TEA-01,Green tea,2.675,12",
        "TEA-02,Oolong,19.99,0",
        "",
    ]


def test_a_name_with_signs_is_one_value_of_the_address(stranger: FlaskClient) -> None:
    answer = stranger.get("/api/go/p4?source=a%26b=c")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "https://shop.example/show?name=Mug%20%26%20saucer&from=a%26b%3Dc"


def test_a_product_that_the_stock_does_not_know_has_no_level(stranger: FlaskClient, town: Town) -> None:
    town.stock.levels.clear()
    answer = stranger.get("/api/products/p1")
    assert (answer.status_code, answer.json["there"]) == (200, None)
