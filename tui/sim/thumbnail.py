"""What a machine's screen shows, as RGB565: a text console or a login screen, black bars around.

Drawn with rectangles only; close enough to a screen seen from across the room.
"""

from __future__ import annotations

from random import Random

from tui.sim import devices
from tui.sim.machine import Machine

BLACK, WHITE, GREY = 0x0000, 0xFFFF, 0xA534
DARK_BLUE, BLUE, GREEN = 0x0926, 0x041F, 0x4E8B


class Canvas:
    """Pixels of 16 bits, little endian, row after row."""

    def __init__(self, width: int, height: int, colour: int = BLACK) -> None:
        self.width, self.height = width, height
        self._data = bytearray(colour.to_bytes(2, "little") * (width * height))

    def fill(self, x: float, y: float, width: float, height: float, colour: int) -> None:
        """A rectangle, clipped to the canvas."""
        left, right = max(0, round(x)), min(self.width, round(x + width))
        top, bottom = max(0, round(y)), min(self.height, round(y + height))
        if right <= left:
            return
        row = colour.to_bytes(2, "little") * (right - left)
        for line in range(top, bottom):
            at = 2 * (line * self.width + left)
            self._data[at : at + len(row)] = row

    def data(self) -> bytes:
        return bytes(self._data)


def picture(machine: Machine, width: int, height: int, now: float) -> bytes:
    """The screen scaled to fit; what another aspect ratio leaves over is black."""
    canvas = Canvas(width, height)
    own_width, own_height = devices.resolution(machine)
    scale = min(width / own_width, height / own_height)
    x, y = (width - own_width * scale) / 2, (height - own_height * scale) / 2
    area = (x, y, own_width * scale, own_height * scale)
    if now < machine.ready_at or machine.guest.boot <= 5:
        _boot(canvas, area, machine, now)
    elif machine.guest.windows and "core" not in machine.guest.name.lower():
        _login(canvas, area, machine)
    else:
        _console(canvas, area, machine, now)
    return canvas.data()


Area = tuple[float, float, float, float]


def _boot(canvas: Canvas, area: Area, machine: Machine, now: float) -> None:
    x, y, width, height = area
    side = min(width, height) / 14
    middle_x, middle_y = x + width / 2, y + height * 0.4
    if machine.generation == 1 and machine.guest.boot <= 5:
        canvas.fill(x, y, width, height, BLUE)
        canvas.fill(x + width * 0.2, y + height * 0.3, width * 0.6, height * 0.4, GREY)
        return
    for row in (-1, 0):
        for column in (-1, 0):
            left, top = middle_x + column * side * 1.1, middle_y + row * side * 1.1
            canvas.fill(left, top, side, side, BLUE)
    dot = int(now * 4) % 8
    canvas.fill(middle_x - side + dot * side / 4, y + height * 0.7, side / 6, side / 6, WHITE)


def _login(canvas: Canvas, area: Area, machine: Machine) -> None:
    x, y, width, height = area
    canvas.fill(x, y, width, height, DARK_BLUE)
    canvas.fill(x, y + height * 0.55, width, height * 0.45, 0x0A49)
    size = height * 0.13
    canvas.fill(x + width / 2 - size / 2, y + height * 0.24, size, size, GREY)
    canvas.fill(x + width * 0.4, y + height * 0.43, width * 0.2, height * 0.035, WHITE)
    canvas.fill(x + width * 0.38, y + height * 0.52, width * 0.24, height * 0.045, WHITE)
    canvas.fill(x + width * 0.59, y + height * 0.52, width * 0.03, height * 0.045, GREY)
    canvas.fill(x + width * 0.94, y + height * 0.93, width * 0.03, height * 0.03, WHITE)


def _console(canvas: Canvas, area: Area, machine: Machine, now: float) -> None:
    """Lines of text and a cursor that blinks."""
    x, y, width, height = area
    random = Random(machine.id)
    rows, columns = 25, 80
    cell_width, cell_height = width / columns, height / rows
    lines = random.randint(9, 20)
    for row in range(lines):
        column = 0
        colour = GREEN if random.random() < 0.3 else GREY
        while column < random.randint(12, 70):
            word = random.randint(2, 9)
            left, top = x + column * cell_width, y + (row + 0.25) * cell_height
            canvas.fill(left, top, word * cell_width, max(1.0, cell_height * 0.5), colour)
            column += word + 1
            colour = GREY
    prompt = y + lines * cell_height
    canvas.fill(x, prompt + cell_height * 0.25, 14 * cell_width, cell_height * 0.5, WHITE)
    if int(now * 2) % 2:
        canvas.fill(x + 15 * cell_width, prompt, cell_width, cell_height, WHITE)
