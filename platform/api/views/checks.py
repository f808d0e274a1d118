"""Where a file is from; open to all."""

from __future__ import annotations

from typing import BinaryIO, cast

from rest_framework.request import Request
from rest_framework.response import Response

from api import representations as shapes
from api.base import ApiView, answer
from core.errors import Invalid
from delivery import checking


class Verify(ApiView):
    """A `file` as multipart, or the address of a `share`: its Content Credentials, and whether it is one of ours."""

    authentication_classes = []
    largest_file = checking.MOST_BYTES

    def post(self, request: Request) -> Response:
        fields = self.fields()
        file, share = fields.file("file"), fields.text("share")
        fields.check()
        if (file is None) == (share is None):
            sentence = "Send a file as multipart/form-data, or the address of a share: one of the two."
            raise Invalid("invalid_request", sentence, fields={"file": sentence})
        if file is not None:
            with file:  # it goes from the disk now, not when somebody tidies up
                found = checking.check_file(cast("BinaryIO", file), now=self.now)
            return answer(shapes.verification(found))
        return answer(shapes.verification(checking.check_share(share or "", now=self.now)))
