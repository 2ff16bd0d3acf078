# ruff: noqa: RUF001
"""Texts of the kinds that agents read, always the same, by which the token estimator is judged."""

import hashlib
import json
import uuid
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent
ROWS = 200


def texts() -> dict[str, str]:
    kinds = {name: _rows(row) for name, row in _ROWS.items()} | _files() | _LANGUAGES
    return kinds | {"a little of each, mixed": _mixed(list(kinds.values()))}


def _mixed(kinds: list[str]) -> str:
    pieces = [text[at : at + 250] for text in kinds for at in range(0, 1000, 250)]
    Random(7).shuffle(pieces)
    return "\n".join(pieces)


def _files() -> dict[str, str]:
    return {
        "prose: a page of the docs": _read("docs/why.md"),
        "code: Python": _read("src/twelvefold/thread.py"),
        "code: SQL": _read("src/twelvefold/stores/sqlite/queries.sql"),
        "package lock": _read("requirements.lock")[:20_000],
    }


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _rows(row: Callable[[Random], str]) -> str:
    chance = Random(7)
    return "\n".join(row(chance) for _ in range(ROWS))


def _clock(r: Random) -> str:
    return f"2026-11-{r.randint(1, 28):02}T{r.randint(0, 23):02}:07:{r.randint(0, 59):02}.123Z"


def _log_line(r: Random) -> str:
    level = r.choice(["INFO", "WARNING", "ERROR"])
    return f"{_clock(r)} {level} [worker-{r.randint(1, 9)}] db.pool: timed out after {r.random()} s"


def _access(r: Random) -> str:
    address = ".".join(str(r.randint(1, 254)) for _ in range(4))
    path, size = f"/api/v2/orders/{r.randint(1, 10**6)}", r.randint(1, 9999)
    return f'{address} - - "GET {path} HTTP/1.1" 200 {size}'


def _order(r: Random) -> dict[str, object]:
    skus = [{"sku": f"A-{r.randint(1, 99)}", "count": r.randint(1, 9)} for _ in range(2)]
    return {
        "order_id": r.randint(10**6, 10**7),
        "placed_at": _clock(r),
        "items": skus,
        "paid": True,
    }


def _xml(r: Random) -> str:
    number, total = r.randint(1, 10**6), r.randint(1, 500)
    return f'<order id="{number}">\n  <total currency="EUR">{total}.50</total>\n</order>'


_ROWS: dict[str, Callable[[Random], str]] = {
    "logs of a worker": _log_line,
    "logs of a web server": _access,
    "UUIDs": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    "SHA-256, hex": lambda r: hashlib.sha256(r.randbytes(8)).hexdigest(),
    "base64": lambda r: b64encode(r.randbytes(48)).decode(),
    "times": _clock,
    "JSON, on one line": lambda r: json.dumps(_order(r)),
    "JSON, indented": lambda r: json.dumps(_order(r), indent=2),
    "XML": _xml,
}

_LANGUAGES = {
    "German": (
        "Guten Tag, unsere Bestellung ist bis heute nicht angekommen, obwohl die Sendungsverfolgung"
        " seit Dienstag meldet, das Paket sei zugestellt worden. Können Sie bitte prüfen, an welche"
        " Anschrift es geliefert wurde? Wir brauchen die Ersatzteile spätestens am Freitag."
    ),
    "French": (
        "Bonjour, notre commande n'est toujours pas arrivée, alors que le suivi indique depuis"
        " mardi que le colis a été livré. Pourriez-vous vérifier à quelle adresse il a été déposé ?"
        " Nous avons besoin des pièces de rechange vendredi au plus tard."
    ),
    "Polish": (
        "Dzień dobry, nasze zamówienie nadal nie dotarło, chociaż od wtorku system podaje, że"
        " paczka została doręczona. Czy mogą Państwo sprawdzić, pod jaki adres ją dostarczono?"
        " Części zamienne są nam potrzebne najpóźniej w piątek."
    ),
    "Russian": (
        "Здравствуйте, наш заказ до сих пор не пришёл, хотя с вторника указано, что посылка"
        " доставлена. Не могли бы вы проверить, по какому адресу её отправили? Запасные части"
        " нужны нам не позднее пятницы."
    ),
    "Chinese": (
        "您好，我们的订单至今没有送到，可是物流信息从星期二起就显示包裹已经签收。请您查一下包裹送到了哪个地址？"
        "我们最晚星期五需要这些备件。如果找不到包裹，请直接退款到原来的账户。"
    ),
    "Japanese": (
        "お世話になっております。注文した部品がまだ届いておりません。火曜日から配達済みと表示されていますが、"
        "どちらの住所に届けられたのか確認していただけますか。遅くとも金曜日までに必要です。"
    ),
    "Korean": (
        "안녕하세요. 주문한 부품이 아직 도착하지 않았습니다. 화요일부터 배송 완료로 표시되어 있는데"
        " 어느 주소로 배달되었는지 확인해 주시겠어요? 늦어도 금요일까지는 필요합니다."
    ),
    "Arabic": (
        "مرحبا، لم تصل طلبيتنا حتى الآن مع أن نظام التتبع يقول منذ يوم الثلاثاء إن الطرد قد سُلّم."
        " هل يمكنكم التحقق من العنوان الذي أُرسل إليه؟ نحتاج إلى قطع الغيار يوم الجمعة على الأكثر."
    ),
}
