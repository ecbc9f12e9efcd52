#!/bin/sh
# supervision: the mask of a COCO polygon has a row and a column too many, and the polygon of a mask one too few.
#
# Guessed: a data set that is read and written again is the same; a polygon around 8 x 8 pixels is those 64, as in pycocotools.
# Seen: supervision 0.31.2 reads the polygon as 9 x 9 = 81 pixels; the same square as RLE is 64. Written again, as COCO or YOLO, the
# RLE's polygon goes through the centres of its outermost pixels: 7 x 7 = 49 for pycocotools 2.0.11, and a YOLO reader's box is 7 wide. The
# boxes in the COCO file stay at 8 x 8, so that box and mask of one object no longer agree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install -q --root-user-action ignore --disable-pip-version-check --target "$folder" numpy==2.4.6 supervision==0.31.2 pycocotools==2.0.11
cd "$folder"
PYTHONPATH=$folder python3 -B - 2>/dev/null <<'END'
import json
import os
import numpy as np
import supervision
from PIL import Image
from pycocotools import mask

os.mkdir("pictures")
Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save("pictures/a.png")
square = np.zeros((32, 32), bool)
square[12:20, 4:12] = True
runs = {"size": [32, 32], "counts": [4 * 32 + 12] + [8, 24] * 7 + [8, 20 * 32 + 12]}
assert mask.decode(mask.frPyObjects(runs, 32, 32)).astype(bool).tolist() == square.tolist()


def through_supervision(segmentation):
    """Pixels of the mask that was read, and of those written as COCO, and the width of the outline written as YOLO."""
    one = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 12, 8, 8], "area": 64, "iscrowd": 0, "segmentation": segmentation}
    picture = {"id": 1, "file_name": "a.png", "width": 32, "height": 32}
    with open("in.json", "w") as file:
        json.dump({"images": [picture], "categories": [{"id": 1, "name": "thing"}], "annotations": [one]}, file)
    data = supervision.DetectionDataset.from_coco("pictures", "in.json", force_masks=True)
    (_, _, found), = data
    data.as_coco(annotations_path="out.json")
    written, = json.load(open("out.json"))["annotations"]
    assert written["bbox"] == [4, 12, 8, 8]
    data.as_yolo(annotations_directory_path="yolo")
    across = [float(number) * 32 for number in open("yolo/a.txt").read().split()[1::2]]
    pixels = mask.area(mask.merge(mask.frPyObjects(written["segmentation"], 32, 32)))
    return int(found.mask.sum()), int(pixels), round(max(across) - min(across), 3)


outline = [4, 12, 12, 12, 12, 20, 4, 20]
print("by pycocotools:", int(mask.area(mask.frPyObjects([outline], 32, 32))[0]), "pixels")
for name, segmentation, wanted in [("polygon", [outline], (81, 64, 8)), ("RLE", runs, (64, 49, 7))]:
    got = through_supervision(segmentation)
    print(f"{name}: {got[0]} pixels as read, {got[1]} in the COCO file written, {got[2]} wide in the YOLO file")
    assert got == wanted, f"changed: it was {wanted}"
END
